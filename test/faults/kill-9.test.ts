/** kill -9 of supervisor, guard and service, of every pair and of all three, with runners of every kind. */
import assert from 'node:assert/strict';
import { fault, type Found } from './fault.ts';
import { plays, supervise, type Supervised } from './supervised.ts';
import { commandOf, guardOf, isRunning, kill, send, until, untilNone, type World } from './world.ts';

type Victim = 'supervisor' | 'guard' | 'service';

/** In the order in which they are killed. */
const sets: readonly (readonly Victim[])[] = [
  ['supervisor'],
  ['guard'],
  ['service'],
  ['guard', 'supervisor'],
  ['supervisor', 'service'],
  ['guard', 'service'],
  ['guard', 'supervisor', 'service'],
];

const serve = { id: 'service', command: plays('leaves-all-kinds.sh'), readyAtOnce: true };
/** The script and its six; in a namespace its keeper and its first process, too. */
const sizeOf = ({ mode }: World): number => (mode === 'pidns' ? 9 : 7);

/** The program itself, not what keeps its namespace. */
const servicesOf = (world: World, start?: number): number[] =>
  world.marked(start).filter((pid) => /^\/bin\/sh \S+leaves-all-kinds\.sh$/.test(commandOf(pid)));

async function untilUp(world: World): Promise<number> {
  await until('the service and its kinds', () => world.marked(1).length >= sizeOf(world) || undefined);
  return until('the service', () => servicesOf(world, 1)[0]);
}

for (const victims of sets) {
  fault(
    {
      list: 1,
      fault: `kill -9 of ${victims.join(' + ')}`,
      of: 'tree',
      repeated: true,
      atMostMs: 1000,
    },
    async (world) => {
      const supervised = await supervise(world, [serve]);
      const service = await untilUp(world);
      const guard = supervised.guard();
      world.adopt(guard);
      const since = performance.now();
      const pids = victims.map((victim) => ({ supervisor: supervised.pid, guard, service })[victim]);
      // All in the same instant: none has the time to notice the end of another.
      if (victims.includes('supervisor') && victims.includes('guard')) send('SIGSTOP', ...pids.toReversed());
      kill(...pids);
      if (!victims.includes('supervisor')) return untilReplaced(world, supervised, { guard, victims, since });
      await supervised.ended;
      if (world.mode === 'guard' && victims.includes('guard')) return seeGap(world, since);
      await untilNone(() => [...world.marked(), ...[guard].filter(isRunning)]);
      return { outcome: 'clean', ms: performance.now() - since };
    },
  );
}

interface Killed {
  readonly guard: number;
  readonly victims: readonly Victim[];
  readonly since: number;
}

/** The supervisor lives: it makes good what was killed, and ends what the dead service has left. */
async function untilReplaced(
  world: World,
  supervised: Supervised,
  { guard, victims, since }: Killed,
): Promise<Found> {
  const again = victims.includes('service') ? 2 : 1;
  if (again === 2) await untilNone(() => world.marked(1));
  await until('another guard', () => {
    const found = guardOf(supervised.pid);
    return (found === guard) === victims.includes('guard') ? undefined : found;
  });
  await until('the service', () => servicesOf(world, again)[0]);
  const ms = performance.now() - since;
  supervised.signal('SIGTERM');
  assert.equal((await supervised.ended).code, 0);
  assert.deepEqual(world.marked(), []);
  return { outcome: 'replaced', ms };
}

/**
 * Nobody is left to look: what no death signal reaches lives until the job starts again, which ends it, or until
 * the batch system ends the job.
 */
async function seeGap(world: World, since: number): Promise<Found> {
  await untilNone(() => servicesOf(world));
  const left = world.marked();
  assert.equal(left.length, sizeOf(world) - 1, 'the gap is closed: say so in the documents');
  const ms = performance.now() - since;
  const again = await supervise(world, []);
  assert.equal(again.events[0]?.['swept'], left.length);
  assert.deepEqual(left.filter(isRunning), []);
  again.signal('SIGTERM');
  await again.ended;
  return {
    outcome: 'gap',
    ms,
    detail: `${left.length} of ${sizeOf(world)} are left until the job starts again`,
  };
}
