/** However a service ends or stops moving, it is started again, and only it. */
import assert from 'node:assert/strict';
import { fault, type Found } from './fault.ts';
import { plays, supervise, type Supervised } from './supervised.ts';
import { commandOf, until, type World } from './world.ts';

const other = { id: 'other', command: plays('sleeps.sh') };

for (const [what, how, reason] of [
  ['exits with 0', '0', /code 0/],
  ['exits with 1', '1', /code 1/],
  ['is killed, as for its memory', 'KILL', /SIGKILL/],
  ['accesses memory that is not its own', 'SEGV', /SIGSEGV/],
] as const)
  fault({ list: 3, fault: `the service ${what}`, of: 'tree' }, async (world) => {
    const supervised = await supervise(world, [
      other,
      { id: 'service', command: plays('exits-once.sh', how) },
    ]);
    const told = await supervised.untilTold('restarting', { id: 'service' });
    assert.match(String(told['reason']), reason);
    return untilReplaced(supervised, performance.now());
  });

fault({ list: 3, fault: 'the service is stopped and answers no more', of: 'tree' }, async (world) => {
  const supervised = await supervise(world, [
    other,
    { id: 'service', command: plays('ticks.sh'), silentMs: 100 },
  ]);
  await supervised.untilTold('ready', { id: 'service' });
  const since = performance.now();
  process.kill(programOf(world, 'ticks.sh'), 'SIGSTOP');
  const { reason } = await supervised.untilTold('restarting', { id: 'service' });
  assert.match(String(reason), /^did not answer/);
  return untilReplaced(supervised, since);
});

for (const part of ['keeper', 'first process'] as const)
  fault(
    {
      list: 1,
      fault: `kill -9 of the ${part} of the namespace`,
      of: 'tree',
      modes: ['pidns'],
      repeated: true,
      atMostMs: 1000,
    },
    async (world) => {
      const supervised = await supervise(world, [
        other,
        { id: 'service', command: plays('leaves-all-kinds.sh'), readyAtOnce: true },
      ]);
      const first = await until('all', () =>
        world.marked(2).length === 9 ? firstOf(world, part) : undefined,
      );
      const since = performance.now();
      process.kill(first, 'SIGKILL');
      await supervised.untilTold('restarting', { id: 'service' });
      assert.deepEqual(world.marked(2), []);
      return untilReplaced(supervised, since);
    },
  );

/** The keeper is the process that the supervisor spawned; its only child is the first process inside. */
const firstOf = (world: World, part: 'keeper' | 'first process'): number | undefined =>
  world
    .marked(2)
    .find((pid) =>
      part === 'keeper' ? /^\S*unshare /.test(commandOf(pid)) : commandOf(pid).startsWith('/bin/sh -c'),
    );

const programOf = (world: World, fixture: string): number =>
  world.marked().find((pid) => commandOf(pid).startsWith('/bin/sh /') && commandOf(pid).endsWith(fixture)) ??
  assert.fail(`${fixture} does not run`);

async function untilReplaced(supervised: Supervised, since: number): Promise<Found> {
  await supervised.untilTold('spawned', { id: 'service' });
  await supervised.untilTold('spawned', { id: 'service' });
  const ms = performance.now() - since;
  supervised.signal('SIGTERM');
  await supervised.ended;
  assert.equal(supervised.events.filter(({ id, event }) => id === 'other' && event === 'spawned').length, 1);
  return { outcome: 'replaced', ms };
}
