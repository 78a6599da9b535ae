import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, type SubmittedJob } from './cluster.ts';
import { until } from './program.ts';
import { type Summary, writeDistinctCorpus } from './tasks.ts';

const documents = 120;
const tasks = 4;

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

/** The last line of each task; all of them write into one file. */
const untilSummaries = (job: SubmittedJob, count: number): Promise<Summary[]> =>
  until(`${count} tasks to end`, 100_000, async () => {
    const lines = (await job.output()).split('\n').filter((line) => line.startsWith('{"documents"'));
    return lines.length === count ? lines.map((line) => JSON.parse(line) as Summary) : undefined;
  }).catch(async (error: unknown) => {
    throw new Error(`The tasks said:\n${await job.output()}`, { cause: error });
  });

test(
  'the tasks of a real array embed every document once, and one that comes late finds all of it done',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'corpus');
    await writeDistinctCorpus(corpus, documents, 6);
    const env = { RAG_ENGINE: 'embedded', RAG_CHUNK_TOKENS: '64', RAG_CHUNK_OVERLAP: '0' };
    const sbatch = [`--array=0-${tasks - 1}`, '--gres=gpu:1', '--cpus-per-task=1'];
    const words = ['--mode', 'ingest', '--input-file', corpus, '--json'];
    await using job = await cluster.submit({ words, env, sbatch });
    const summaries = await untilSummaries(job, tasks);
    const sum = (of: (summary: Summary) => number): number =>
      summaries.reduce((total, summary) => total + of(summary), 0);
    assert.equal(
      sum((summary) => summary.documents.processed),
      documents,
    );
    assert.equal(
      sum((summary) => summary.documents.unchanged),
      0,
    );
    assert.equal(
      sum(({ embedded }) => embedded),
      sum(({ chunks }) => chunks),
    );

    await cluster.slurm('scontrol', 'requeue', `${job.id}_2`);
    const late = (await untilSummaries(job, tasks + 1)).at(-1);
    assert.deepEqual([late?.documents.processed, late?.documents.unchanged, late?.embedded], [0, 0, 0]);
  },
);
