import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import { checkModels } from '../../../src/job/prepare/check-models.ts';
import { manifestPath } from '../../../src/machine/model-store.ts';
import type { Plan } from '../../../src/plan/types.ts';
import { makeStore } from '../../fixtures/fake-ollama/make-store.ts';

const instances: Plan['instances'] = [
  { id: 'ollama-generate', role: 'generate', model: 'qwen3:8b', gpus: [] },
  { id: 'ollama-embed', role: 'embed', model: 'qwen3-embedding:8b', gpus: [] },
  { id: 'reranker', role: 'rerank', model: 'lexical', gpus: [] },
];
const slices = { ollama: [], reranker: [], retriever: [], workload: [], parser: [] };
const plan: Plan = {
  gpus: [],
  slices,
  engine: 'ollama',
  embedder: 'ollama',
  reranker: 'lexical',
  instances,
  memory: [],
  warnings: [],
};

async function foundBy(prepare: (store: string) => void): Promise<RagError | undefined> {
  await using dir = await mkdtempDisposable(path.join(tmpdir(), 'store-'));
  makeStore(dir.path, ['qwen3:8b', 'qwen3-embedding:8b']);
  prepare(dir.path);
  try {
    await checkModels(plan, { OLLAMA_MODELS: dir.path });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RagError);
    return error;
  }
}

test('a store that has all models of the plan is fine, and so is one that is not there yet', async () => {
  assert.equal(await foundBy(() => undefined), undefined);
  assert.equal(await foundBy((store) => rmSync(store, { recursive: true })), undefined);
});

test('models that are missing are named together, with the line that gets them', async () => {
  const error = await foundBy((store) =>
    rmSync(path.join(store, 'manifests/registry.ollama.ai/library'), { recursive: true }),
  );
  assert.match(error?.message ?? '', /Cannot serve qwen3:8b and qwen3-embedding:8b: not in the model store/);
  assert.equal(error?.hint, 'ollama pull qwen3:8b && ollama pull qwen3-embedding:8b');
});

test('a model whose pull was cut is said to be not complete', async () => {
  const error = await foundBy((store) => rmSync(path.join(store, 'blobs'), { recursive: true }));
  assert.match(error?.message ?? '', /not complete in the model store/);
});

test('a store that cannot be read is not a store without models', async () => {
  const error = await foundBy((store) => {
    const manifest = path.join(store, manifestPath('qwen3:8b') ?? '');
    rmSync(manifest);
    symlinkSync(manifest, manifest);
  });
  assert.match(error?.message ?? '', /Cannot read the model store .*ELOOP/);
});
