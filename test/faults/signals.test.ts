/** The signals of a batch system, at any moment and to anybody. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault, type Found } from './fault.ts';
import { ask, fakeOllama, serve, startProgram, type Program, untilReady } from './program.ts';
import { plays } from './supervised.ts';
import { kill, send, untilNone, type World } from './world.ts';

async function untilClean(world: World, program: Program, since: number): Promise<Found> {
  await program.ended;
  await untilNone(() => world.marked());
  return { outcome: 'clean', ms: performance.now() - since };
}

fault({ list: 5, fault: 'TERM in the first moments', of: 'program', atMostMs: 1000 }, async (world) => {
  let ms = 0;
  for (const delayMs of [0, 10, 20, 30, 50, 100, 200, 300, 400, 500]) {
    const program = startProgram(world, ['run', '--mode', 'serve']);
    await sleep(delayMs);
    const since = performance.now();
    program.signal('SIGTERM');
    const found = await untilClean(world, program, since);
    ms = Math.max(ms, found.ms);
    const { code, signal, stderr } = await program.ended;
    assert.ok(
      code === 0 || code === 75 || signal === 'SIGTERM',
      `${delayMs} ms: ${code} ${signal} ${stderr}`,
    );
  }
  return { outcome: 'clean', ms };
});

/** Its model servers have to be killed: a stop lasts as long as their grace. */
const slowToStop = { env: { OLLAMA_BIN: plays('ollama-that-ignores-term.sh')[0], FAKE_OLLAMA: fakeOllama } };

fault({ list: 5, fault: 'a second TERM during the stop', of: 'program', atMostMs: 1000 }, async (world) => {
  const serving = await serve(world, slowToStop);
  serving.signal('SIGTERM');
  // Within half a second it counts as the same request.
  await sleep(700);
  const since = performance.now();
  serving.signal('SIGTERM');
  assert.equal((await serving.ended).code, 143);
  return untilClean(world, serving, since);
});

fault({ list: 12, fault: 'KILL soon after TERM', of: 'program', atMostMs: 1000 }, async (world) => {
  const serving = await serve(world, slowToStop);
  serving.signal('SIGTERM');
  await sleep(200);
  const since = performance.now();
  kill(serving.pid);
  return untilClean(world, serving, since);
});

fault({ list: 12, fault: 'CONT and TERM to every process of the job', of: 'program' }, async (world) => {
  const serving = await serve(world);
  const since = performance.now();
  for (const name of ['SIGCONT', 'SIGTERM'] as const) send(name, ...world.marked());
  assert.equal((await serving.ended).code, 0);
  return untilClean(world, serving, since);
});

fault({ list: 12, fault: 'HUP', of: 'program' }, async (world) => {
  const serving = await serve(world);
  const since = performance.now();
  serving.signal('SIGHUP');
  assert.equal((await serving.ended).code, 0);
  return untilClean(world, serving, since);
});

fault({ list: 12, fault: 'all processes are suspended for 2 s', of: 'program' }, async (world) => {
  const serving = await serve(world);
  const all = [...world.marked(), serving.guard()];
  send('SIGSTOP', ...all);
  await sleep(2000);
  send('SIGCONT', ...all);
  const since = performance.now();
  const { status } = await ask(world, `${serving.url()}/api/version`);
  const ms = performance.now() - since;
  assert.equal(status, 200);
  await untilReady(serving, [0, 0, 0, 0]);
  serving.signal('SIGTERM');
  assert.equal((await serving.ended).code, 0);
  return { outcome: 'goes on', ms };
});
