/**
 * A job on a real Slurm is ended in each way that Slurm and its node know: what is left of it, what Slurm says of it,
 * and what the next job finds. One file of tests for each kind of tracking.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { noClusterWith, startCluster, type Cluster, type Proctrack } from '../journeys/cluster.ts';
import { until } from '../journeys/program.ts';
import { fault, NotHere, type Found } from './fault.ts';
import { seeDrain } from './slurm-drain.ts';
import {
  logOf,
  publishedBy,
  scratchFolders,
  startService,
  untilEmpty,
  type Service,
} from './slurm-service.ts';
import { kill, type World } from './world.ts';

interface End {
  readonly fault: string;
  /** Resolves when the end has begun. */
  readonly bring: (service: Service, cluster: Cluster) => Promise<unknown>;
  /**
   * `asked`: the supervisor stops its services and takes its files away. `killed`: others end what it leaves; its
   * endpoint file and its scratch folder stay until the next start.
   */
  readonly how: 'asked' | 'killed';
  /** State and exit code, as Slurm tells them. */
  readonly told: string;
  /** Slurm does not see the end until somebody cancels the job. */
  readonly unseen?: true;
}

const cancel =
  (...words: readonly string[]): End['bring'] =>
  ({ id }, cluster) =>
    cluster.slurm('scancel', ...words, id);

const ends: readonly End[] = [
  { fault: 'scancel', bring: cancel(), how: 'asked', told: 'CANCELLED 0:0' },
  {
    fault: 'SIGSTOP of the supervisor, then scancel', // Slurm sends CONT with TERM
    bring: (service, cluster) => {
      process.kill(service.supervisor, 'SIGSTOP');
      return cancel()(service, cluster);
    },
    how: 'asked',
    told: 'CANCELLED 0:0',
  },
  {
    fault: 'scancel --signal=KILL --full', // to Slurm no other than scancel
    bring: cancel('--signal=KILL', '--full'),
    how: 'asked',
    told: 'CANCELLED 0:0',
  },
  {
    fault: 'scancel --signal=KILL --batch',
    bring: cancel('--signal=KILL', '--batch'),
    how: 'killed',
    told: 'FAILED 0:9',
  },
  {
    fault: 'kill -9 of the supervisor',
    bring: async ({ supervisor }) => kill(supervisor),
    how: 'killed',
    told: 'FAILED 0:9',
  },
  {
    fault: 'kill -9 of slurmstepd',
    bring: async ({ step }) => kill(step),
    how: 'asked',
    told: 'CANCELLED 0:0',
    unseen: true,
  },
  { fault: 'the time limit', bring: untilTimeLimit, how: 'asked', told: 'TIMEOUT 0:0' },
];

/** Slurm looks for limits every 30 s. */
async function untilTimeLimit({ id }: Service, cluster: Cluster): Promise<void> {
  await cluster.slurm('scontrol', 'update', `JobId=${id}`, 'EndTime=now+1');
  await until('the time limit', 60_000, async () => {
    const shown = await cluster.slurm('scontrol', 'show', 'job', id);
    return shown.includes('JobState=RUNNING') ? undefined : true;
  });
}

/** A test for each end in each mode of containment, all on one cluster. */
export function endsUnder(proctrack: Proctrack): void {
  const missing = noClusterWith(proctrack);
  let cluster: Cluster | undefined;
  before(async () => {
    if (missing === false) cluster = await startCluster({ proctrack });
  });
  after(() => cluster?.[Symbol.asyncDispose]());
  const about = { list: 12, of: 'program', users: ['root'] } as const;
  const on = (see: (cluster: Cluster, world: World) => Promise<Found>) => (world: World) => {
    if (cluster === undefined) throw new NotHere(String(missing));
    return see(cluster, world);
  };
  for (const end of ends) {
    // linuxproc sends TERM to all processes of the job at the same time: then there is no order.
    const inOrder = proctrack !== 'linuxproc' || end.unseen === true;
    fault(
      { ...about, fault: `${end.fault}, under proctrack/${proctrack}` },
      on((cluster, world) => see(end, inOrder, cluster, world)),
    );
  }
  fault(
    { ...about, fault: `scancel in the middle of an ingest, under proctrack/${proctrack}` },
    on(seeDrain),
  );
}

async function see(end: End, inOrder: boolean, cluster: Cluster, world: World): Promise<Found> {
  await using service = await startService(cluster, world);
  await end.bring(service, cluster);
  const since = performance.now();
  const empty = untilEmpty(service, 30_000);
  const cancelled = end.unseen ? empty.then(() => cluster.slurm('scancel', service.id)) : undefined;
  const over = cluster.untilEnded(service, 60_000).then((told) => ({ ...told, at: performance.now() }));
  const [emptyAt, { state, exit, at }] = await Promise.all([empty, over, cancelled]);
  const lateMs = Math.round(emptyAt - at);

  const output = await service.output();
  assert.equal(`${state} ${exit}`, end.told, output);
  assert.ok(lateMs <= atMostMs, `the node is empty ${lateMs} ms after the job's end`);
  if (end.how === 'asked') {
    checkDrain(logOf(service, world), inOrder);
    assert.deepEqual([publishedBy(world), scratchFolders(world)], [undefined, []]);
  } else {
    assert.deepEqual([publishedBy(world), scratchFolders(world).length], [service.id, 1]);
    await seeNextStart(cluster, world);
  }
  const when = lateMs > 0 ? `${lateMs} ms after it` : 'before it';
  return { outcome: 'clean', ms: emptyAt - since, detail: `${end.told}, the node empty ${when}` };
}

/** Once Slurm has said that the job is over, nothing of it may be left for longer. */
const atMostMs = 1000;

/** Nothing is started again, and each service stops after those that were started after it. */
function checkDrain(log: readonly string[], inOrder: boolean): void {
  assert.deepEqual(
    log.filter((line) => /restarting|started again|has failed/.test(line)),
    [],
  );
  const stopping = log.findIndex((line) => line.startsWith('stopping'));
  const exits = log.flatMap((line, at) => (line.endsWith(': exited') && at > stopping ? [line] : []));
  assert.ok(stopping >= 0 && exits.length === 4, log.join('\n'));
  const reverse = ['store', 'reranker', 'ollama-embed', 'ollama-generate'];
  if (inOrder)
    assert.deepEqual(
      exits,
      reverse.map((id) => `${id}: exited`),
    );
}

/** It takes the endpoint's file over from the dead one, and its scratch folder away. */
async function seeNextStart(cluster: Cluster, world: World): Promise<void> {
  await using next = await startService(cluster, world);
  assert.equal(scratchFolders(world).length, 1);
  await cluster.slurm('scancel', next.id);
  await untilEmpty(next, 10_000);
  assert.deepEqual([publishedBy(world), scratchFolders(world)], [undefined, []]);
}
