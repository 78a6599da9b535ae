import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { manifestPath, readModel } from '../../src/machine/model-store.ts';

let store = '';
let manifest = '';
const weights = `sha256:${'a'.repeat(64)}`;
const config = `sha256:${'b'.repeat(64)}`;
const blob = (digest: string): string => path.join(store, 'blobs', digest.replace(':', '-'));

before(async () => {
  store = await mkdtemp(path.join(tmpdir(), 'models-'));
  const dir = path.join(store, 'manifests/registry.ollama.ai/library/qwen3');
  await mkdir(dir, { recursive: true });
  await mkdir(path.join(store, 'blobs'));
  manifest = JSON.stringify({
    schemaVersion: 2,
    config: { digest: config, size: 3 },
    layers: [{ digest: weights, size: 1000 }],
  });
  await writeFile(path.join(dir, '235b'), manifest);
  await writeFile(path.join(dir, 'broken'), '{"layers":');
  await writeFile(blob(config), '{} ');
  await writeFile(blob(weights), Buffer.alloc(1000));
});
after(() => rm(store, { recursive: true }));

for (const [name, expected] of [
  ['qwen3:235b', 'manifests/registry.ollama.ai/library/qwen3/235b'],
  ['qwen3', 'manifests/registry.ollama.ai/library/qwen3/latest'],
  ['me/mine:v1', 'manifests/registry.ollama.ai/me/mine/v1'],
  ['hf.co/Qwen/Qwen3-Embedding-8B-GGUF:Q4_K_M', 'manifests/hf.co/Qwen/Qwen3-Embedding-8B-GGUF/Q4_K_M'],
  ['localhost:5000/me/mine', 'manifests/localhost:5000/me/mine/latest'],
  ['../../etc/passwd', null],
  ['a/../b/c', null],
  ['a/b/c/d', null],
  ['', null],
  ['qwen3:', null],
] as const) {
  test(`manifestPath() of "${name}"`, () => {
    assert.equal(manifestPath(name), expected);
  });
}

test('readModel() gives the digest of the manifest and the bytes of all blobs', async () => {
  const model = await readModel(store, 'qwen3:235b');
  assert.ok(typeof model === 'object');
  assert.equal(model.digest, createHash('sha256').update(manifest).digest('hex'));
  assert.equal(model.bytes, 1003);
  assert.deepEqual(
    model.blobs.map(({ file }) => file),
    [blob(weights), blob(config)],
  );
});

test('readModel() tells a missing store from a missing model', async () => {
  assert.equal(await readModel(path.join(store, 'nowhere'), 'qwen3:235b'), 'no-store');
  assert.equal(await readModel(store, 'qwen3:8b'), 'absent');
  assert.equal(await readModel(store, 'qwen3:broken'), 'incomplete');
  assert.equal(await readModel(store, '../x'), 'absent');
});

test('readModel() takes a model for incomplete while a blob is not whole', async () => {
  await truncate(blob(weights), 999);
  assert.equal(await readModel(store, 'qwen3:235b'), 'incomplete');
});
