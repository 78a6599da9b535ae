import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, untilPhase } from './cluster.ts';
import { smallChunks, writeCorpus } from './corpus.ts';
import { runProgram } from './program.ts';

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
