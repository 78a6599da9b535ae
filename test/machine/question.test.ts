import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { askProgram, type ProgramAnswer } from '../../src/machine/question.ts';
import { isAlive, processesMarked } from '../../src/machine/processes.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const shell = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];
const ask = (
  command: readonly string[],
  timeoutMs: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<ProgramAnswer> => askProgram(command, { timeoutMs, signal });
const mark = `QUESTION=${process.pid}`;
const left = (): number => processesMarked(mark).filter(isAlive).length;

test('what a program says, and that it failed, with its first line of complaint', async () => {
  assert.deepEqual(await ask(shell('echo GPU 0; echo GPU 1'), 10_000), {
    outcome: 'answered',
    stdout: 'GPU 0\nGPU 1',
  });
  assert.deepEqual(await ask(shell('echo no driver >&2; echo at all >&2; exit 9'), 10_000), {
    outcome: 'failed',
    why: 'no driver',
  });
  assert.deepEqual(await ask(shell('exit 9'), 10_000), { outcome: 'failed', why: 'exit code 9' });
  const { outcome } = await ask(['/nowhere/nvidia-smi'], 10_000);
  assert.equal(outcome, 'failed');
});

test('a wrapper that is too slow takes what it has started along', async () => {
  const asked = performance.now();
  const answer = await ask(shell(`export ${mark}; sleep 20; echo late`), 200);
  assert.deepEqual(answer, { outcome: 'failed', why: 'no answer within 0.2 s' });
  assert.ok(performance.now() - asked < 5_000);
  await until(() => left() === 0, 'it goes');
});

test('a program that KILL does not end, or that left its output open, is waited for no longer', async () => {
  const asked = performance.now();
  // A session of its own is out of reach, as is a driver that never comes back.
  const answer = await ask(shell(`export ${mark}; setsid sleep 20 & sleep 20`), 200);
  assert.deepEqual(answer, { outcome: 'failed', why: 'no answer within 0.2 s' });
  assert.ok(performance.now() - asked < 5_000);
  assert.equal(left(), 1);
  for (const { pid } of processesMarked(mark)) process.kill(pid, 'SIGKILL');
  await until(() => left() === 0, 'it goes');
});

test('a question that is not wanted any more ends, and its program with it', async () => {
  const over = new AbortController();
  const asked = ask(shell(`export ${mark}; sleep 20; echo late`), 60_000, over.signal);
  await until(() => left() === 1, 'it is asked');
  over.abort();
  assert.deepEqual(await asked, { outcome: 'failed', why: 'it was cancelled' });
  await until(() => left() === 0, 'it goes');
  assert.deepEqual(await ask(['true'], 60_000, over.signal), { outcome: 'failed', why: 'it was cancelled' });
});
