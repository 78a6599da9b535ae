import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, type SubmittedJob, untilPhase } from './cluster.ts';
import { smallChunks, writeCorpus } from './corpus.ts';
import { processesMarked, until, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

interface Start {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the fake servers were started with. */
async function readStarts(folder: string): Promise<Start[]> {
  const files = await readdir(folder);
  const starts = files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Start);
  return (await Promise.all(starts)).filter(({ argv }) => argv[0] === 'serve');
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly job_id: string;
}

const endpointFile = (job: SubmittedJob): string => join(job.runtime, 'ollama_service.json');

async function untilPublished(job: SubmittedJob): Promise<Endpoint> {
  try {
    return await until('ollama_service.json', 60_000, async () => {
      const text = await readFile(endpointFile(job), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : (JSON.parse(text) as Endpoint);
    });
  } catch (error) {
    throw new Error(`The job said:\n${await job.output()}`, { cause: error });
  }
}

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });

interface Retrieved {
  readonly result: ReadonlyArray<
    ReadonlyArray<{
      readonly document: { readonly id: string; readonly contents: string };
      readonly score: number;
    }>
  >;
}

test(
  'one job becomes a service on its own GPUs and leaves nothing behind when it is cancelled',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'small');
    const record = join(cluster.folder, 'record');
    await mkdir(record);
    await writeCorpus(corpus, 6, 2);
    const env = { RAG_INPUT_FILE: corpus, FAKE_OLLAMA_RECORD: record };
    await using job = await cluster.submit({ words: [], env });
    const { host, port, job_id } = await untilPublished(job);
    const url = `http://${host}:${port}`;
    assert.equal(job_id, job.id);

    const starts = await readStarts(record);
    assert.equal(starts.length, 2, 'generate and embed are separate servers');
    for (const { env } of starts) {
      assert.equal(env['CUDA_VISIBLE_DEVICES'], '0,1,2');
      assert.equal(env['ROCR_VISIBLE_DEVICES'], undefined);
    }
    const reranker = processesMarked('SLURM_JOB_ID', job.id).filter(
      ({ env }) => env['CUDA_VISIBLE_DEVICES'] === '3',
    );
    assert.equal(reranker.length, 1, await job.output());
    assert.match(reranker[0]?.command ?? '', /rerank/);

    const queries = ['codeword4', 'codeword1'];
    await until('the ingest', 60_000, async () => {
      const response = await post(`${url}/retrieve`, { queries, topk: 2, return_scores: true });
      const { result } = (await response.json()) as Retrieved;
      const best = result.map((hits) => hits[0]?.document.id);
      return best.join() === 'report-004.html,report-001.html' ? best : undefined;
    });

    const answer = (await (
      await post(`${url}/query`, { query: 'What is the code word of report 4?' })
    ).json()) as Record<string, unknown>;
    assert.equal(typeof answer['response'], 'string');
    assert.ok(Array.isArray(answer['references']));
    assert.equal((await fetch(`${url}/api/tags`)).status, 200);

    for (const route of ['pull', 'push', 'create', 'copy', 'blobs/sha256:00']) {
      const { status } = await post(`${url}/api/${route}`, { model: 'qwen3:235b' });
      assert.ok([403, 404, 405].includes(status), `${route}: ${status}`);
    }
    const deleted = await fetch(`${url}/api/delete`, { method: 'DELETE' });
    assert.ok([403, 404, 405].includes(deleted.status), `delete: ${deleted.status}`);

    await cluster.slurm('scancel', job.id);
    await untilGone('SLURM_JOB_ID', job.id, 30_000);
    assert.equal(existsSync(endpointFile(job)), false, 'the endpoint file goes with its service');
    const { state, exit } = await cluster.untilEnded(job, 30_000);
    assert.deepEqual([state, exit], ['CANCELLED', '0:0'], await job.output());
  },
);

test('the wall-time warning ends an idle service with 0', { skip: noCluster, timeout: 150_000 }, async () => {
  await using job = await cluster.submit({ words: ['--mode', 'serve'], sbatch: ['--no-requeue'] });
  await untilPublished(job);
  await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
  const { state, exit } = await cluster.untilEnded(job, 60_000);
  assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
  await untilGone('SLURM_JOB_ID', job.id, 1000);
});

test(
  'the wall-time warning ends an ingest that is not done with 75',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'large');
    await writeCorpus(corpus, 90, 24);
    await using job = await cluster.submit({
      words: ['--mode', 'ingest', '--input-file', corpus],
      sbatch: ['--no-requeue'],
      env: smallChunks,
    });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    const { state, exit } = await cluster.untilEnded(job, 60_000);
    assert.deepEqual([state, exit], ['FAILED', '75:0'], await job.output());
    await untilGone('SLURM_JOB_ID', job.id, 1000);
  },
);

test(
  'scancel in the middle of an ingest: TERM reaches every process, and what is embedded is committed all the same',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'cancelled');
    await writeCorpus(corpus, 90, 24);
    await using job = await cluster.submit({
      words: ['--mode', 'ingest', '--input-file', corpus],
      sbatch: ['--no-requeue'],
      env: smallChunks,
    });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', job.id);
    await untilGone('SLURM_JOB_ID', job.id, 30_000);
    const { state, exit } = await cluster.untilEnded(job, 30_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['CANCELLED', '75:0'], output);
    assert.match(output, /ended with 75: stopped with work left/);
    assert.doesNotMatch(output, /started again|has failed/);
  },
);
