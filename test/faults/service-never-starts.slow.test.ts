/** An Ollama that ends as often as it is started ends the job: with its own code, the reason, and its last lines. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { startProgram } from './program.ts';
import { plays } from './supervised.ts';

fault({ list: 4, fault: 'an Ollama that exits at once, always', of: 'program' }, async (world) => {
  const since = performance.now();
  const env = { OLLAMA_BIN: plays('ollama-that-exits.sh')[0] };
  const { code, stderr } = await startProgram(world, ['run', '--mode', 'serve'], { env }).ended;
  const ms = performance.now() - since;
  assert.equal(code, 69, stderr);
  assert.match(stderr, /exited with code 1, after 5 restarts/);
  assert.match(stderr, /^it exits$/m);
  assert.deepEqual(world.marked(), []);
  return { outcome: 'refused', ms, detail: 'exit code 69' };
});

fault({ list: 4, fault: 'an Ollama that cannot be run', of: 'program' }, async (world) => {
  const since = performance.now();
  const env = { OLLAMA_BIN: '/etc/passwd' };
  const { code, stderr } = await startProgram(world, ['run', '--mode', 'serve'], { env }).ended;
  assert.equal(code, 78, stderr);
  assert.doesNotMatch(stderr, /started again/);
  return { outcome: 'refused', ms: performance.now() - since, detail: 'exit code 78' };
});
