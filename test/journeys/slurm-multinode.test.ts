/** One job on several virtual nodes, a supervisor on each. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, untilPhase } from './cluster.ts';
import { runProgram, untilGone } from './program.ts';
import { writeDistinctCorpus } from './tasks.ts';

const documents = 120;

let cluster: Cluster;
let corpus: string;
before(async () => {
  if (noCluster !== false) return;
  cluster = await startCluster({ nodes: 2 });
  corpus = join(cluster.folder, 'corpus');
  await writeDistinctCorpus(corpus, documents, 12);
});
after(() => cluster?.[Symbol.asyncDispose]());

const env = { RAG_ENGINE: 'embedded', RAG_CHUNK_TOKENS: '64', RAG_CHUNK_OVERLAP: '0' };
const sbatch = ['--cpus-per-task=1'];

async function processed(index: string): Promise<unknown> {
  const { stdout } = await runProgram(['index', 'inspect', '--json'], { env: { RAG_WORKING_DIR: index } });
  return (JSON.parse(stdout) as { documents: { processed: number } }).documents.processed;
}

test(
  'two nodes share the work of one job, and what its wall time leaves is done when it runs again',
  { skip: noCluster, timeout: 200_000 },
  async () => {
    const words = ['--mode', 'ingest', '--input-file', corpus];
    await using job = await cluster.submit({ script: 'rag_multinode', words, env, sbatch });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', '--signal=USR2', job.id);
    const { state, exit } = await cluster.untilEnded(job, 150_000);
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
    assert.match(await cluster.slurm('scontrol', 'show', 'job', job.id), /Restarts=1/, await job.output());
    assert.equal(await processed(job.index), documents);
    const supervisors = await readdir(join(job.runtime, 'supervisors'));
    assert.equal(supervisors.length, 2, supervisors.join());
    await untilGone('SLURM_JOB_ID', job.id, 2000);
  },
);

test(
  'scancel ends the supervisors of all nodes with time to commit, and leaves nothing',
  { skip: noCluster, timeout: 200_000 },
  async () => {
    const words = ['--mode', 'ingest', '--input-file', corpus];
    await using job = await cluster.submit({ script: 'rag_multinode', words, env, sbatch });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', job.id);
    const { state } = await cluster.untilEnded(job, 60_000);
    assert.equal(state, 'CANCELLED');
    const output = await job.output();
    assert.equal(output.match(/ended with (75|0):/g)?.length, 2, output);
    assert.doesNotMatch(output, /requeued:/);
    await untilGone('SLURM_JOB_ID', job.id, 2000);
  },
);
