/** Every exit code and every deadly signal is told as it was. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';

const once = { restart: 'temporary', readyAtOnce: true } as const;

fault({ list: 17, fault: 'exit codes 0 to 255', of: 'tree' }, async (world) => {
  const codes = Array.from({ length: 256 }, (_, code) => String(code));
  const children = codes.map((id) => ({ ...once, id, command: plays('exits.sh', id) }));
  const since = performance.now();
  const supervised = await supervise(world, children);
  for (const id of codes) {
    const { code, signal } = await supervised.untilTold('exited', { id });
    assert.deepEqual([code, signal], [Number(id), null]);
  }
  const ms = performance.now() - since;
  supervised.signal('SIGTERM');
  await supervised.ended;
  return { outcome: 'noticed', ms };
});

const deadly = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'ABRT',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
];

/**
 * The first process of a namespace is a shell: it tells of signal n as exit code 128 + n. USR2, the wall-time warning, ends
 * nobody there.
 */
fault({ list: 17, fault: 'ends by a signal', of: 'tree' }, async (world) => {
  const signals = deadly.filter((id) => world.mode !== 'pidns' || id !== 'USR2');
  const children = signals.map((id) => ({ ...once, id, command: plays('dies-by-a-signal.sh', id) }));
  const since = performance.now();
  const supervised = await supervise(world, children);
  for (const id of signals) {
    const name = `SIG${id}` as NodeJS.Signals;
    const { code, signal } = await supervised.untilTold('exited', { id });
    const expected = world.mode === 'pidns' ? [128 + constants.signals[name], null] : [null, name];
    assert.deepEqual([code, signal], expected);
  }
  const ms = performance.now() - since;
  supervised.signal('SIGTERM');
  await supervised.ended;
  return { outcome: 'noticed', ms };
});
