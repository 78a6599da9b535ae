/** A job whose generator has no room beside the embed servers, on a real Slurm: it ingests, switches once, answers. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { type Cluster, noCluster, startCluster, type SubmittedJob, untilPhase } from './cluster.ts';
import { checkout, until, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

/** Four cards of 80 GiB: qwen3:235b takes nearly all of two. */
const nvidiaSmi = `#!/bin/sh
case "$1" in
  -L) for at in 0 1 2 3; do echo "GPU $at: stand-in"; done ;;
  --query-gpu=*) for at in 0 1 2 3; do echo "$at, GPU-a$at, 81920"; done ;;
esac
`;

interface World {
  readonly papers: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of the newest supervisor. */
  readonly status: () => SupervisorStatus;
  /** CUDA_VISIBLE_DEVICES of each server that was started, sorted. */
  readonly gpusSeen: () => string[];
  readonly forget: () => void;
}

function makeWorld(name: string, files: number, more: Readonly<Record<string, string>> = {}): World {
  const folder = join(cluster.folder, name);
  const [papers, bin, record, runtime] = ['papers', 'bin', 'record', 'runtime'].map((each) =>
    join(folder, each),
  ) as [string, string, string, string];
  for (const each of [papers, bin, record]) mkdirSync(each, { recursive: true });
  writeFileSync(join(bin, 'nvidia-smi'), nvidiaSmi, { mode: 0o755 });
  for (let at = 0; at < files; at += 1)
    writeFileSync(join(papers, `${at}.md`), `# Report ${at}\n\nThe turbine of harbour ${at} is green.\n`);
  return {
    papers,
    env: {
      PATH: `${bin}:${join(checkout, 'test/fixtures/fake-ollama')}:${process.env['PATH']}:/usr/sbin:/sbin`,
      OLLAMA_MODELS: join(folder, 'no-store'),
      RERANKER_BACKEND: 'none',
      RAG_SHARED_ROOT: join(folder, 'data'),
      RAG_RUNTIME_STATE: runtime,
      RAG_WATCH_SECONDS: '0',
      FAKE_OLLAMA_RECORD: record,
      ...more,
    },
    status: () => {
      const states = readdirSync(join(runtime, 'supervisors'))
        .filter((file) => /^\d+\.\w+\.json$/.test(file)) // beside them lies what is being written
        .map(
          (file) => JSON.parse(readFileSync(join(runtime, 'supervisors', file), 'utf8')) as SupervisorStatus,
        );
      const [newest] = states.toSorted((a, b) => Number(b.job) - Number(a.job));
      assert.ok(newest);
      return newest;
    },
    gpusSeen: () =>
      readdirSync(record)
        .flatMap((file) => startsIn(join(record, file)))
        .filter(({ argv }) => argv[0] === 'serve')
        .map(({ env }) => env['CUDA_VISIBLE_DEVICES'] ?? 'unset')
        .toSorted(),
    forget: () => readdirSync(record).forEach((file) => rmSync(join(record, file))),
  };
}

/** None while it is being written. */
function startsIn(file: string): { readonly argv: string[]; readonly env: Record<string, string> }[] {
  try {
    return [JSON.parse(readFileSync(file, 'utf8')) as { argv: string[]; env: Record<string, string> }];
  } catch {
    return [];
  }
}

const submit = (world: World): Promise<SubmittedJob> =>
  cluster.submit({
    words: ['--input-file', world.papers],
    sbatch: ['--gres=gpu:2'],
    env: world.env,
  });

async function asked(url: string, query: string): Promise<string> {
  const response = await fetch(`${url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return (JSON.parse(text) as { answer: string }).answer;
}

const statesOf = ({ services }: SupervisorStatus): Record<string, string> =>
  Object.fromEntries(services.map(({ id, state }) => [id, state]));

const answering = {
  'ollama-generate': 'ready',
  'ollama-embed-1': 'exited',
  'ollama-embed-2': 'exited',
  'ollama-embed-ask': 'ready',
  store: 'ready',
};

test(
  'a job ingests with an embed server on each of its GPUs, switches once, answers, and leaves nothing when it is cancelled',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const world = makeWorld('answers', 60, { FAKE_EMBED_MS: '30' });
    await using job = await submit(world);
    await untilPhase(job, 'answering');
    const { endpoint } = world.status();
    assert.match(await asked(endpoint.url ?? '', 'Which colour has the turbine of harbour 7?'), /7 is green/);
    assert.deepEqual(statesOf(world.status()), answering, await job.output());
    assert.deepEqual(world.gpusSeen(), ['-1', '0', '0,1', '1']);
    await cluster.slurm('scancel', job.id);
    const { state, exit } = await cluster.untilEnded(job, 30_000);
    assert.deepEqual([state, exit], ['CANCELLED', '0:0'], await job.output());
    assert.doesNotMatch(await job.output(), /started again|has failed/);
    await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);

test(
  'a workload that generates starts after the switch, with the generator on the GPUs behind its own',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const world = makeWorld('workload', 20, { NUM_TRAIN_GPUS: '1', RAG_SERVICES: 'embed,generate' });
    const ask = `echo "has $CUDA_VISIBLE_DEVICES"; curl -s "$RAG_URL/query" -H 'content-type: application/json' -d '{"query":"Which colour has the turbine of harbour 7?"}'`;
    await using job = await cluster.submit({
      script: 'rag_workload',
      words: ['--input-file', world.papers, '--', 'bash', '-c', ask],
      sbatch: ['--gres=gpu:3'],
      env: world.env,
    });
    const { state, exit } = await cluster.untilEnded(job, 90_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], output);
    assert.match(output, /^has 0$/m);
    assert.match(output, /"answer":"[^"]*harbour 7 is green/);
    assert.match(
      output,
      /ingest done: 20 processed[^]*make room for[^]*ollama-generate is ready[^]*workload started/,
    );
    assert.deepEqual(world.gpusSeen(), ['-1', '1', '1,2', '2']);
    await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);

test(
  'kill -9 of the supervisor in the middle of the switch leaves nothing, and the same job again finishes without embedding anew',
  { skip: noCluster, timeout: 200_000 },
  async () => {
    const world = makeWorld('killed', 20, { FAKE_LOAD_MS: '3000' });
    await using job = await submit(world);
    await untilPhase(job, 'switching');
    await until('the generator', 20_000, () => (world.gpusSeen().includes('0,1') ? true : undefined));
    assert.equal(world.status().phase, 'switching');
    process.kill(world.status().pid, 'SIGKILL');
    await untilGone('SLURM_JOB_ID', job.id, 5000);
    const killed = await cluster.untilEnded(job, 30_000);
    assert.deepEqual([killed.state, killed.exit], ['FAILED', '0:9'], await job.output());
    world.forget();

    await using again = await submit(world);
    await until('the second answer', 60_000, () => {
      const { job: id, phase } = world.status();
      return id === again.id && phase === 'answering' ? true : undefined;
    });
    const { endpoint } = world.status();
    assert.match(await asked(endpoint.url ?? '', 'Which colour has the turbine of harbour 7?'), /7 is green/);
    assert.match(await again.output(), /ingest done: 0 processed, 20 unchanged/);
    assert.deepEqual(statesOf(world.status()), answering, await again.output());
    assert.deepEqual(world.gpusSeen(), ['-1', '0', '0,1', '1']);
    await cluster.slurm('scancel', again.id);
    await untilGone('SLURM_JOB_ID', again.id, 15_000);
  },
);
