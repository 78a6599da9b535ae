/** The smoke test of a GPU: under plain bash, and as a job of a real Slurm. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { makeStore } from '../fixtures/fake-ollama/make-store.ts';
import { noCluster, startCluster } from './cluster.ts';
import { checkout, untilGone } from './program.ts';

const root = mkdtempSync(join(tmpdir(), 'rag-smoke-'));
after(() => rmSync(root, { recursive: true }));

const nvidiaSmi = `#!/bin/sh
case "$*" in
  -L) echo 'GPU 0: NVIDIA stand-in (UUID: GPU-aa)' ;;
  *memory.used*) echo '0, NVIDIA stand-in, 15100 MiB, 81920 MiB' ;;
  --query-gpu=*) echo '0, GPU-aa, 81920' ;;
esac
`;

/** What the job finds of a GPU, of Ollama and of the models; the user has set much that must not matter. */
function makeEnv(name: string, models: readonly string[]): Record<string, string> {
  const folder = join(root, name);
  for (const each of ['bin', 'tmp']) mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(join(folder, 'bin/nvidia-smi'), nvidiaSmi, { mode: 0o755 });
  makeStore(join(folder, 'models'), models);
  return {
    PATH: [join(folder, 'bin'), join(checkout, 'test/fixtures/fake-ollama'), process.env['PATH']].join(
      delimiter,
    ),
    HOME: folder,
    OLLAMA_MODELS: join(folder, 'models'),
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    TMPDIR: join(folder, 'tmp'),
    OLLAMA_HOST: 'published',
    RAG_ALLOW_CPU: '1',
    RAG_CORPUS: 'MedCorp',
    RAG_DB_DIR: folder,
    RAG_INPUT_FILE: '/no/such/papers',
    SMOKE_TEST: folder,
  };
}

async function smoke(env: Readonly<Record<string, string>>, ...words: string[]) {
  const child = spawn('bash', [join(checkout, 'sbatch/gpu_smoke.sbatch'), ...words], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number, stdout, stderr };
}

const both = ['qwen3-embedding:8b', 'qwen3:235b'];

test('with a GPU that works and nothing missing it ends with 0, and leaves logs alone', async () => {
  const env = makeEnv('well', both);
  const { code, stdout, stderr } = await smoke({ ...env, CUDA_VISIBLE_DEVICES: '0' });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^ok +GPUs: 1 here \(NVIDIA stand-in\); the job has 0$/m, 'as the doctor sees it');
  assert.match(stdout, /NVIDIA stand-in, 15100 MiB/);
  assert.match(stdout, /^ollama-embed +ready +0 /m);
  assert.match(stdout, /^1\. \d.*examples\/corpus/m, 'a passage is found');
  assert.match(stdout, /== WELL: the GPU is used, and nothing is missing\n$/);
  assert.match(stderr, /ollama-embed: 5\.0 GB, all of it on GPU 0/);
  assert.deepEqual(readdirSync(env['TMPDIR'] ?? ''), []);
  assert.deepEqual(readdirSync(env['HOME'] ?? '').toSorted(), ['bin', 'logs', 'models', 'tmp']);
  await untilGone('SMOKE_TEST', env['HOME'] ?? '', 2000);
});

test('a model that is not in the store is told, and the GPU is tried all the same', async () => {
  const { code, stdout } = await smoke({
    ...makeEnv('no-generator', both.slice(0, 1)),
    CUDA_VISIBLE_DEVICES: '0',
  });
  assert.equal(code, 78, stdout);
  assert.match(stdout, /^failure +Ollama: qwen3:235b is absent/m);
  assert.match(stdout, /== NOT WELL: the GPU is used, but the doctor found failures, see above\n$/);
});

test('a reranker that Python cannot run is told by its check, before anything starts', async () => {
  const { code, stdout, stderr } = await smoke({
    ...makeEnv('no-reranker', both),
    CUDA_VISIBLE_DEVICES: '0',
    RERANKER_MODEL_PATH: join(root, 'no-model'),
    RERANKER_PYTHON: join(root, 'no-python'),
  });
  assert.equal(code, 78, stdout);
  assert.match(stdout, /^failure +reranker: Cannot start the Python child: .*no-python/m);
  assert.match(stderr, /Cannot start the Python child/);
  assert.doesNotMatch(stderr, /ollama-embed/);
});

test('without a GPU, and with words of its own, it does not pretend', async () => {
  const env = makeEnv('none', both);
  const none = await smoke(env);
  assert.deepEqual([none.code, /CUDA_VISIBLE_DEVICES names none/.test(none.stderr)], [78, true], none.stderr);
  const words = await smoke({ ...env, CUDA_VISIBLE_DEVICES: '0' }, '--input-file', 'papers');
  assert.deepEqual([words.code, words.stdout], [78, '']);
  assert.match(words.stderr, /Cannot test with --input-file papers/);
});

test(
  'as a job of Slurm it is well where the model is on the GPU, and fails with the reason where it is not',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    await using cluster = await startCluster();
    const submit = (name: string, more: Readonly<Record<string, string>>) => {
      const { PATH = '', OLLAMA_MODELS = '' } = makeEnv(name, both);
      return cluster.submit({
        script: 'gpu_smoke',
        words: [],
        env: { PATH: `${PATH}:/usr/sbin:/sbin`, OLLAMA_MODELS, RAG_ALLOW_CPU: '1', ...more },
      });
    };
    await using well = await submit('slurm-well', {});
    await using onCpu = await submit('slurm-cpu', { FAKE_NO_GPU: '1' });
    const ended = await cluster.untilEnded(well, 90_000);
    assert.deepEqual([ended.state, ended.exit], ['COMPLETED', '0:0'], await well.output());
    assert.match(await well.output(), /^ok +GPUs: 1 here \(NVIDIA stand-in\); the job has 0$/m);
    assert.match(await well.output(), /== WELL/);
    assert.doesNotMatch(await well.output(), /started by "slurm_script"/);
    const failed = await cluster.untilEnded(onCpu, 90_000);
    assert.deepEqual([failed.state, failed.exit], ['FAILED', '78:0'], await onCpu.output());
    assert.match(await onCpu.output(), /Cannot run qwen3-embedding:8b on its GPUs: the server found no GPU/);
    assert.doesNotMatch(await onCpu.output(), /WELL/);
    for (const job of [well, onCpu]) await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);
