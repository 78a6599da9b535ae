/** A runner dies behind its server: the request is answered, and the server is not started again. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { ask, serve, untilReady } from './program.ts';
import { isRunning, kill, untilNone } from './world.ts';

fault({ list: 3, fault: 'kill -9 of the runners alone', of: 'program' }, async (world) => {
  const serving = await serve(world);
  const since = performance.now();
  kill(...serving.runners);
  const body = { model: 'qwen3-embedding:8b', input: 'a text' };
  const { status, text } = await ask(world, `${serving.url()}/api/embed`, body);
  const ms = performance.now() - since;
  assert.equal(status, 200, text);
  await untilNone(() => serving.runners.filter(isRunning));
  await untilReady(serving, [0, 0, 0, 0]);
  serving.signal('SIGTERM');
  assert.equal((await serving.ended).code, 0);
  return { outcome: 'goes on', ms };
});
