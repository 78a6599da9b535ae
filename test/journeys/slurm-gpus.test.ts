/** Two jobs on one node, and GPUs as Slurm, a prologue or nobody names them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCluster, startCluster, type SubmittedJob } from './cluster.ts';
import { checkout, processesMarked, runProgram, startProgram, until, untilGone } from './program.ts';

/** The GPUs that each fake server was started with. */
async function gpusSeen(record: string): Promise<readonly (string | undefined)[]> {
  const texts = await Promise.all(
    (await readdir(record)).map((name) => readFile(join(record, name), 'utf8')),
  );
  const starts = texts.map((text) => JSON.parse(text) as { argv: string[]; env: Record<string, string> });
  return starts.filter(({ argv }) => argv[0] === 'serve').map(({ env }) => env['CUDA_VISIBLE_DEVICES']);
}

const read = async <Value>(path: string): Promise<Value | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Value);
};

test(
  'two jobs share a node: each its GPUs and its port, and the second is published when the first has ended',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    await using cluster = await startCluster();
    const runtime = join(cluster.folder, 'runtime');
    const submit = async (name: string): Promise<SubmittedJob & { readonly record: string }> => {
      const record = join(cluster.folder, name);
      await mkdir(record);
      const job = await cluster.submit({
        words: ['--input-file', join(checkout, 'examples/corpus')],
        sbatch: ['--gres=gpu:2'],
        env: { RAG_RUNTIME_STATE: runtime, FAKE_OLLAMA_RECORD: record },
      });
      return { ...job, record };
    };
    const published = async () =>
      (await read<{ job_id: string }>(join(runtime, 'ollama_service.json')))?.job_id;
    const urlOf = (job: SubmittedJob) =>
      until(`the endpoint of job ${job.id}`, 30_000, async () => {
        const folder = join(runtime, 'supervisors');
        const name = (await readdir(folder)).find((each) => each.startsWith(`${job.id}.`)) ?? '';
        const state = await read<{ phase: string; endpoint: { url: string | null } }>(join(folder, name));
        return state?.phase === 'answering' ? (state.endpoint.url ?? undefined) : undefined;
      });

    await using first = await submit('first');
    await until('the file', 30_000, async () => ((await published()) === first.id ? true : undefined));
    await using second = await submit('second');
    const urls = [await urlOf(first), await urlOf(second)];
    assert.notEqual(urls[0], urls[1]);
    for (const url of urls) {
      const response = await fetch(`${url}/retrieve`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ queries: ['How is a document found?'], topk: 2 }),
      });
      const { result } = (await response.json()) as { result: unknown[][] };
      assert.equal(result[0]?.length, 2);
    }
    assert.equal(await published(), first.id);
    assert.match(await second.output(), new RegExp(`job ${first.id} on`), 'it says who holds the file');

    assert.deepEqual(await gpusSeen(first.record), ['0', '0']);
    assert.deepEqual(await gpusSeen(second.record), ['2', '2']);
    for (const [job, last] of [
      [first, '1'],
      [second, '3'],
    ] as const) {
      const own = processesMarked('SLURM_JOB_ID', job.id).filter(({ command }) => /rerank/.test(command));
      assert.deepEqual(
        own.map(({ env }) => env['CUDA_VISIBLE_DEVICES']),
        [last],
      );
    }

    await cluster.slurm('scancel', first.id);
    await untilGone('SLURM_JOB_ID', first.id, 30_000);
    await until('the takeover', 45_000, async () => ((await published()) === second.id ? true : undefined));
    await cluster.slurm('scancel', second.id);
    await cluster.untilEnded(second, 30_000);
    assert.equal(existsSync(join(runtime, 'ollama_service.json')), false);
  },
);

const withFakeOllama = `${join(checkout, 'test/fixtures/fake-ollama')}:${process.env['PATH']}`;
const uuids = ['GPU-1f2e0c1a', 'GPU-7b3d9f42', 'GPU-a05c6e18'] as const;

test('GPUs named by UUID are split as they are named, each service with its own alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rag-uuids-'));
  const env = {
    PATH: withFakeOllama,
    CUDA_VISIBLE_DEVICES: uuids.join(),
    ROCR_VISIBLE_DEVICES: '0,1,2',
    FAKE_OLLAMA_RECORD: folder,
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
  };
  const { stdout } = await runProgram(['plan', '--json'], { env });
  const { slices } = JSON.parse(stdout) as { slices: Record<string, readonly string[]> };
  assert.deepEqual([slices['ollama'], slices['reranker']], [uuids.slice(0, 2), uuids.slice(2)]);
  const words = ['run', '--', 'sh', '-c', 'echo "training on $CUDA_VISIBLE_DEVICES, $ROCR_VISIBLE_DEVICES."'];
  const record = join(folder, 'record');
  await mkdir(record);
  const run = await startProgram(words, { env: { ...env, FAKE_OLLAMA_RECORD: record } }).ended;
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, new RegExp(`training on ${uuids[0]},${uuids[1]}, \\.`));
  assert.deepEqual(new Set(await gpusSeen(record)), new Set([uuids[2]]));
  await rm(folder, { recursive: true });
});

/** What some sites have, because indices mean different cards inside and outside of a cgroup. */
const namesThemByUuid = `#!/bin/sh
[ -z "$CUDA_VISIBLE_DEVICES" ] ||
  echo "export CUDA_VISIBLE_DEVICES=$(echo "$CUDA_VISIBLE_DEVICES" | /bin/sed 's/[0-9][0-9]*/GPU-00c0ffee-000&/g')"
`;

test(
  "UUIDs of a site's prologue are split in a job as they are, and every service and the workload get theirs alone",
  { skip: noCluster, timeout: 100_000 },
  async () => {
    await using cluster = await startCluster({ taskProlog: namesThemByUuid });
    const record = join(cluster.folder, 'record');
    await mkdir(record);
    const script = 'echo "trains on $CUDA_VISIBLE_DEVICES of $SLURM_JOB_GPUS"; sleep 60';
    await using job = await cluster.submit({
      script: 'rag_workload',
      words: ['--', 'sh', '-c', script],
      sbatch: ['--gres=gpu:4'],
      env: { FAKE_OLLAMA_RECORD: record, NUM_TRAIN_GPUS: '2' },
    });
    const uuid = (at: number): string => `GPU-00c0ffee-000${at}`;
    const trains = await until(
      'the training',
      60_000,
      async () => /^trains on .*/m.exec(await job.output())?.[0],
    );
    assert.equal(trains, `trains on ${uuid(0)},${uuid(1)} of 0,1,2,3`);
    assert.deepEqual(new Set(await gpusSeen(record)), new Set([uuid(2)]), await job.output());
    const reranker = processesMarked('SLURM_JOB_ID', job.id).find(({ command }) => /rerank/.test(command));
    assert.equal(reranker?.env['CUDA_VISIBLE_DEVICES'], uuid(3));
    assert.match(await job.output(), new RegExp(`ollama-embed: .* on GPU ${uuid(2)}\\n`));
    await cluster.slurm('scancel', job.id);
    await untilGone('SLURM_JOB_ID', job.id, 30_000);
  },
);

test('a job that was given no GPU is refused before it starts, unless the CPU is allowed', async () => {
  for (const visible of ['', 'NoDevFiles']) {
    const env = {
      PATH: withFakeOllama,
      SLURM_JOB_ID: '77',
      CUDA_VISIBLE_DEVICES: visible,
      RAG_SHARED_ROOT: join(tmpdir(), 'rag-no-gpu'),
    };
    const refused = await runProgram(['plan'], { env });
    assert.equal(refused.code, 78, `"${visible}": ${refused.stdout}`);
    assert.match(refused.stderr, /it has no GPU.*\n.*--gres=gpu:4.*--allow-cpu/);
    const allowed = await runProgram(['plan', '--json', '--allow-cpu'], { env });
    assert.equal(allowed.code, 0, allowed.stderr);
    assert.deepEqual((JSON.parse(allowed.stdout) as { slices: { ollama: string[] } }).slices.ollama, []);
  }
});
