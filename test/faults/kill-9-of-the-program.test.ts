/** kill -9 of the whole program's supervisor, guard and model servers, of every pair and of all three. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fault, type Found } from './fault.ts';
import { serve, type Serving, startProgram, untilReady } from './program.ts';
import {
  commandOf,
  guardOf,
  isRunning,
  kill,
  send,
  systemPath,
  until,
  untilNone,
  type World,
} from './world.ts';

type Victim = 'supervisor' | 'guard' | 'servers';

/** In the order in which they are killed. */
const sets: readonly (readonly Victim[])[] = [
  ['supervisor'],
  ['guard'],
  ['servers'],
  ['guard', 'supervisor'],
  ['supervisor', 'servers'],
  ['guard', 'servers'],
  ['guard', 'servers', 'supervisor'],
];

for (const victims of sets)
  fault(
    { list: 1, fault: `kill -9 of ${victims.join(' + ')}`, of: 'program', repeated: true, atMostMs: 1000 },
    async (world) => {
      const serving = await serve(world);
      assert.deepEqual([serving.servers.length, serving.runners.length], [2, 2]);
      const guard = serving.guard();
      world.adopt(guard);
      const pids = victims.flatMap(
        (one) => ({ supervisor: [serving.pid], guard: [guard], servers: serving.servers })[one],
      );
      // All in the same instant: none has the time to notice the end of another.
      if (victims.length === 3) send('SIGSTOP', ...pids.toReversed());
      const since = performance.now();
      kill(...pids);
      if (!victims.includes('supervisor')) return untilReplaced(world, serving, { guard, victims, since });
      if (world.mode === 'guard' && victims.length === 3) return seeGap(world, serving, since);
      await untilNone(() => [...world.marked(), ...[guard].filter(isRunning)]);
      return { outcome: 'clean', ms: performance.now() - since };
    },
  );

interface Killed {
  readonly guard: number;
  readonly victims: readonly Victim[];
  readonly since: number;
}

async function untilReplaced(
  world: World,
  serving: Serving,
  { guard, victims, since }: Killed,
): Promise<Found> {
  const old = victims.includes('servers') ? [...serving.servers, ...serving.runners] : [];
  await untilNone(() => old.filter(isRunning));
  await until('another guard', () => {
    const found = guardOf(serving.pid);
    return (found === guard) === victims.includes('guard') ? undefined : found;
  });
  const ms = performance.now() - since;
  const restarts = victims.includes('servers') ? 1 : 0;
  await untilReady(serving, [restarts, restarts, 0, 0]);
  serving.signal('SIGTERM');
  assert.equal((await serving.ended).code, 0);
  await untilNone(() => world.marked());
  return { outcome: 'replaced', ms };
}

/** Nobody is left to look: the runners live until the job starts again, which ends them, or is ended. */
async function seeGap(world: World, { runners }: Serving, since: number): Promise<Found> {
  await untilNone(() => world.marked().filter((pid) => !runners.includes(pid)));
  const ms = performance.now() - since;
  assert.deepEqual(runners.filter(isRunning), runners, 'the gap is closed: say so in the documents');
  const input = join(world.folder, 'note.md');
  writeFileSync(input, '# A note\n\nRunners are ended by the next start.\n');
  const again = await startProgram(world, ['run', '--mode', 'ingest', '--input-file', input]).ended;
  assert.deepEqual(runners.filter(isRunning), []);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /ended 2 processes that a dead supervisor of this job had left/);
  return { outcome: 'gap', ms, detail: 'both runners are left until the job starts again' };
}

fault(
  { list: 1, fault: 'kill -9 of the supervisor, its services stopped', of: 'program', atMostMs: 1000 },
  async (world) => {
    const serving = await serve(world);
    send('SIGSTOP', ...serving.servers, ...serving.runners);
    return killed(world, serving);
  },
);

fault(
  { list: 1, fault: 'kill -9 of the supervisor while it waits for Slurm', of: 'program', atMostMs: 1000 },
  async (world) => {
    const bin = join(world.folder, 'bin');
    mkdirSync(bin, { mode: 0o755 });
    writeFileSync(join(bin, 'squeue'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const path = [bin, dirname(process.execPath), systemPath].join(delimiter);
    const serving = await serve(world, { env: { PATH: path } });
    await until('squeue', () => world.marked().find((pid) => commandOf(pid) === 'sleep 600'));
    const status = await startProgram(world, ['status']).ended;
    assert.match(status.stdout, new RegExp(`^containment +${world.mode}: `, 'm'));
    return killed(world, serving);
  },
);

fault({ list: 1, fault: 'kill -9 of the supervisor, its guard stopped', of: 'program' }, async (world) => {
  const serving = await serve(world);
  const guard = serving.guard();
  world.adopt(guard);
  send('SIGSTOP', guard);
  return killed(world, serving);
});

async function killed(world: World, { pid }: Serving): Promise<Found> {
  const since = performance.now();
  kill(pid);
  await untilNone(() => world.marked());
  return { outcome: 'clean', ms: performance.now() - since };
}
