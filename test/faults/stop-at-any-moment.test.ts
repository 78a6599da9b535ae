/** TERM during a backoff, a start, a wait; restarts that meet each other or a wait. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault, type Found } from './fault.ts';
import type { ChildOrder, Order } from './order.ts';
import { plays, supervise, type Supervised } from './supervised.ts';
import { commandOf, kill, systemPath, until, type World } from './world.ts';

const patient: Order['budget'] = {
  intensity: 5,
  periodMs: 60_000,
  backoff: { baseMs: 600_000, capMs: 600_000 },
};
const silent: ChildOrder = { id: 'silent', command: ['/bin/sleep', '60'], startTimeoutMs: 600_000 };
const sleeps = (id: string, after: readonly string[] = []): ChildOrder => ({
  id,
  command: plays('sleeps.sh'),
  after,
});

for (const { moment, children, event } of [
  { moment: 'a backoff', children: [{ id: 'exits', command: plays('exits.sh', '1') }], event: 'restarting' },
  { moment: 'a start', children: [silent], event: 'spawned' },
  { moment: 'a wait for another', children: [silent, sleeps('waits', ['silent'])], event: 'spawned' },
])
  fault({ list: 5, fault: `stop during ${moment}`, of: 'tree', atMostMs: 1000 }, async (world) => {
    const supervised = await supervise(world, children, { budget: patient });
    await supervised.untilTold(event);
    return stopped(world, supervised);
  });

async function stopped(world: World, supervised: Supervised): Promise<Found> {
  const since = performance.now();
  supervised.signal('SIGTERM');
  assert.equal((await supervised.ended).code, 0);
  assert.deepEqual(world.marked(), []);
  return { outcome: 'clean', ms: performance.now() - since };
}

/** The first process of a namespace has to set up its network before there is a program that could be told to end. */
fault(
  { list: 5, fault: 'stop during the start of a namespace', of: 'tree', modes: ['pidns'], atMostMs: 1000 },
  async (world) => {
    const bin = join(world.folder, 'bin');
    mkdirSync(bin, { mode: 0o755 });
    for (const name of ['ip', 'ifconfig', 'perl', 'python3'])
      writeFileSync(join(bin, name), `#!/bin/sh\nsleep 0.3\nPATH=${systemPath} exec ${name} "$@"\n`, {
        mode: 0o755,
      });
    const path = `${bin}:${systemPath}`;
    const supervised = await supervise(world, [{ ...sleeps('service'), isolation: 'network' }], { path });
    await supervised.untilTold('spawned');
    await sleep(150);
    const found = await stopped(world, supervised);
    const group = supervised.events.find(({ event }) => event === 'group');
    assert.notEqual(group?.['outcome'], 'killed', 'TERM is lost');
    return found;
  },
);

fault({ list: 5, fault: 'a restart while another waits for it', of: 'tree' }, async (world) => {
  const since = performance.now();
  const first = { id: 'first', command: plays('exits-once.sh', '1') };
  // It says `up` and ends: whoever waits must not take that for ready, or must wait again.
  const supervised = await supervise(world, [first, sleeps('second', ['first'])]);
  await supervised.untilTold('restarting', { id: 'first' });
  await supervised.untilTold('ready', { id: 'second' });
  const ms = performance.now() - since;
  await stopped(world, supervised);
  return { outcome: 'replaced', ms };
});

fault({ list: 5, fault: 'two restarts at the same time', of: 'tree' }, async (world) => {
  const supervised = await supervise(world, [sleeps('one'), sleeps('two')]);
  for (const id of ['one', 'two']) await supervised.untilTold('ready', { id });
  const since = performance.now();
  // A shell says that it is ready, and becomes the sleep after that.
  const sleepers = await until('two sleeping children', () => {
    const found = world.marked().filter((pid) => commandOf(pid) === 'sleep 60');
    return found.length === 2 ? found : undefined;
  });
  kill(...sleepers);
  for (const id of ['one', 'two']) await supervised.untilTold('restarting', { id });
  for (const id of ['one', 'two']) await supervised.untilTold('ready', { id });
  const ms = performance.now() - since;
  assert.equal(supervised.events.filter(({ event }) => event === 'spawned').length, 4);
  await stopped(world, supervised);
  return { outcome: 'replaced', ms };
});
