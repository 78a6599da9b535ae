import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ggufHeader } from '../machine/gguf-file.ts';
import { runProgram } from './program.ts';

test('before anything is submitted it is said that the model does not fit, and how many GPUs would do', async () => {
  const env = { OLLAMA_MODELS: '/nowhere' };
  const small = await runProgram(['plan', '--assume-gpus', '1x32GiB'], { env });
  assert.equal(small.code, 0, small.stderr);
  assert.match(
    small.stdout,
    /warning: ollama-generate: qwen3:235b needs 15\d\.\d GiB .*does not fit: its GPU has 32\.0 GiB for it; 5 GPUs of this size to itself would do/,
  );
  const large = await runProgram(['plan', '--assume-gpus', '4x80GiB', '--json'], { env });
  const { memory, slices } = JSON.parse(large.stdout) as {
    memory: { instance: string; fits: boolean }[];
    slices: { ollama: string[] };
  };
  assert.deepEqual(slices.ollama, ['0', '1', '2']);
  assert.deepEqual(
    memory.map(({ instance, fits }) => [instance, fits]),
    [
      ['ollama-generate', true],
      ['ollama-embed-1', true],
      ['ollama-embed-2', true],
      ['ollama-embed-3', true],
    ],
  );
  const unknown = await runProgram(['plan', '--assume-gpus', '4x80GiB'], {
    env: { ...env, OLLAMA_GENERATE_MODEL: 'qwen3:234b' },
  });
  assert.match(
    unknown.stdout,
    /warning: Whether qwen3:234b fits is not known: \/nowhere \(OLLAMA_MODELS\) is no/,
  );
  const wrong = await runProgram(['plan', '--assume-gpus', 'many'], { env });
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /--assume-gpus 4x80GiB/);
});

test('RAG_LAYOUTS decides where the estimate would', async () => {
  const layoutsOf = async (layouts: string, gpus: string): Promise<readonly (string | undefined)[]> => {
    const words = ['plan', '--assume-gpus', gpus, '--input-file', 'README.md', '--json'];
    const { stdout, stderr } = await runProgram(words, { env: { RAG_LAYOUTS: layouts } });
    assert.equal(stderr, '');
    const { instances } = JSON.parse(stdout) as { instances: { role: string; layout?: string }[] };
    return instances.flatMap(({ role, layout }) => (role === 'rerank' ? [] : [layout]));
  };
  assert.deepEqual(await layoutsOf('auto', '3x80GiB'), ['answering', 'ingest', 'ingest', 'answering']);
  assert.deepEqual(await layoutsOf('one', '3x80GiB'), [undefined, undefined]);
  assert.deepEqual(await layoutsOf('two', '4x80GiB'), [
    'answering',
    'ingest',
    'ingest',
    'ingest',
    'answering',
  ]);
  const wrong = await runProgram(['plan'], { env: { RAG_LAYOUTS: '3' } });
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /RAG_LAYOUTS.*is not one of auto, one, two/);
});

test('a model in the store is judged by its own header', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-plan-'));
  const header = {
    'general.architecture': 'm',
    'm.block_count': 1,
    'm.embedding_length': 8,
    'm.attention.head_count': 1,
  };
  const digest = `sha256:${'a'.repeat(64)}`;
  const weights = ggufHeader(header);
  const place = join(dir.path, 'manifests/registry.ollama.ai/library/tiny');
  await mkdir(place, { recursive: true });
  await mkdir(join(dir.path, 'blobs'));
  await writeFile(join(dir.path, 'blobs', digest.replace(':', '-')), weights);
  const layer = { digest, size: weights.length };
  await writeFile(join(place, 'latest'), JSON.stringify({ config: layer, layers: [layer] }));
  const { stdout, stderr } = await runProgram(['plan', '--assume-gpus', '1x4GiB', '--json'], {
    env: { OLLAMA_MODELS: dir.path, OLLAMA_EMBED_MODEL: 'tiny', OLLAMA_GENERATE_MODEL: 'none' },
  });
  const { memory } = JSON.parse(stdout) as {
    memory: { model: string; need: { weights: number }; fits: boolean }[];
  };
  assert.deepEqual(
    memory.map(({ model, need, fits }) => [model, need.weights, fits]),
    [['tiny', 2 * weights.length, true]],
    stderr,
  );
  await rm(place, { recursive: true });
  const gone = await runProgram(['plan', '--assume-gpus', '1x4GiB'], {
    env: { OLLAMA_MODELS: dir.path, OLLAMA_EMBED_MODEL: 'tiny', OLLAMA_GENERATE_MODEL: 'none' },
  });
  assert.equal(gone.code, 0, gone.stderr);
  assert.match(
    gone.stdout.replaceAll(/\s+/g, ' '),
    /warning: Cannot serve tiny: not in the model store .*: ollama pull tiny/,
  );
});
