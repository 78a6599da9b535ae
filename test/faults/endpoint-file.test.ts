/** The file in which others find the service, when its owner died without a word. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { ask, serve, startProgram } from './program.ts';
import { kill, until, untilNone } from './world.ts';

fault({ list: 18, fault: 'the endpoint file of a killed run', of: 'program' }, async (world) => {
  const first = await serve(world);
  const stale = first.url();
  kill(first.pid);
  await untilNone(() => world.marked());
  assert.equal(first.url(), stale, 'nobody was left to remove it');
  const since = performance.now();
  const second = startProgram(world, ['run', '--mode', 'serve']);
  const url = await until('another url', () => (second.url() === stale ? undefined : second.url()));
  const ms = performance.now() - since;
  assert.equal((await ask(world, `${url}/api/version`)).status, 200);
  second.signal('SIGTERM');
  assert.equal((await second.ended).code, 0);
  assert.equal(second.url(), undefined, 'its owner removes it');
  return { outcome: 'replaced', ms };
});
