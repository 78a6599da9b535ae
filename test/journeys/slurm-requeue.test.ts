import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, untilPhase } from './cluster.ts';
import { smallChunks, writeCorpus } from './corpus.ts';
import { runProgram, until, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  'a job that the wall time cuts short puts itself back into the queue and then finishes',
  { skip: noCluster, timeout: 200_000 },
  async () => {
    const corpus = join(cluster.folder, 'corpus');
    await writeCorpus(corpus, 90, 24);
    await using job = await cluster.submit({
      words: ['--mode', 'ingest', '--input-file', corpus],
      env: smallChunks,
    });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    const { state, exit } = await cluster.untilEnded(job, 120_000);
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
    assert.match(await cluster.slurm('scontrol', 'show', 'job', job.id), /Restarts=1/);

    const { stdout } = await runProgram(['index', 'inspect', '--json'], {
      env: { RAG_WORKING_DIR: job.index },
    });
    const { documents } = JSON.parse(stdout) as { documents: unknown };
    assert.deepEqual(documents, { processed: 90, failed: 0, needs_ocr: 0 });
  },
);

test(
  'a job that is cancelled after its warning, with work left, does not come back',
  { skip: noCluster, timeout: 100_000 },
  async () => {
    // Has work left (75) when it ends, and takes its time to end.
    const training = `trap 'echo warned; sleep 4 & wait $!; exit 75' USR1; trap : TERM; echo trains
      while :; do sleep 0.2; done`;
    await using job = await cluster.submit({
      script: 'searchr1',
      words: ['bash', '-c', training],
      sbatch: ['--gres=gpu:1'],
      env: { RAG_WORKLOAD_SIGNAL: 'USR1' },
    });
    const says = (what: RegExp) =>
      until(String(what), 60_000, async () => (what.test(await job.output()) ? true : undefined));
    await says(/^trains$/m);
    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    await says(/^warned$/m);
    await cluster.slurm('scancel', job.id);
    await untilGone('SLURM_JOB_ID', job.id, 30_000);
    const { state } = await cluster.untilEnded(job, 30_000);
    assert.equal(state, 'CANCELLED', await job.output());
    assert.match(await job.output(), /not requeued: it was told to end before its wall time/);
  },
);
