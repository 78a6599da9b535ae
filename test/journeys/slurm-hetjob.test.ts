/** A heterogeneous job: training on one node, the retriever on another, reached with a token. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster } from './cluster.ts';
import { checkout, runProgram, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster({ nodes: 2 });
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  'the training node finds the retriever of the other node, and the job ends with the training',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const index = join(cluster.folder, 'index');
    const env = { RAG_ENGINE: 'embedded', RAG_WORKING_DIR: index };
    const words = ['run', '--mode', 'ingest', '--input-file', join(checkout, 'examples/corpus')];
    assert.equal(
      (await runProgram(words, { env: { ...env, LOG_ROOT: join(cluster.folder, 'logs') } })).code,
      0,
    );

    const training = ['python3', join(checkout, 'examples/trainer.py'), '--steps', '2'];
    // For the first component and for the second.
    const sbatch = ['--cpus-per-task=2', '--time=5', ':', '--cpus-per-task=2', '--time=5'];
    await using job = await cluster.submit({
      script: 'rag_retriever_node',
      words: training,
      env,
      sbatch,
      bare: true,
    });
    const { state, exit } = await cluster.untilEnded(job, 100_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], output);
    assert.match(output, /trainer: step 2, 3 passages/);
    assert.doesNotMatch(output, /retriever at 127\.0\.0\.1/, output);
    await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);
