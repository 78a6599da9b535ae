import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseGpuSizes } from '../../src/machine/gpu-sizes.ts';
import { limitFiles, readHostMemory } from '../../src/machine/host-memory.ts';
import { readShape, shapeOf } from '../../src/machine/model-shape.ts';
import { ggufHeader } from './gguf-file.ts';

test('GPUs are known by index and by UUID', () => {
  const sizes = parseGpuSizes('0, GPU-aa, 81559\n1, GPU-bb, 81559\nNo devices\n2, GPU-cc, [N/A]\n');
  assert.equal(sizes.get('1'), 81_559 * 2 ** 20);
  assert.equal(sizes.get('GPU-aa'), 81_559 * 2 ** 20);
  assert.equal(sizes.size, 4);
});

test('the least limit of the cgroups above counts, of either version', async () => {
  assert.deepEqual(limitFiles('0::/slurm/job_7\n', '/c'), [
    '/c/slurm/job_7/memory.max',
    '/c/slurm/memory.max',
    '/c/memory.max',
  ]);
  assert.deepEqual(limitFiles('9:cpu:/x\n8:hugetlb,memory:/y\n', '/c'), [
    '/c/memory/y/memory.limit_in_bytes',
    '/c/memory/memory.limit_in_bytes',
  ]);
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-cgroup-'));
  await mkdir(join(dir.path, 'job/step'), { recursive: true });
  await writeFile(join(dir.path, 'own'), '0::/job/step\n');
  await writeFile(join(dir.path, 'job/step/memory.max'), 'max\n');
  await writeFile(join(dir.path, 'job/memory.max'), '1073741824\n');
  assert.equal(await readHostMemory(dir.path, join(dir.path, 'own')), 2 ** 30);
  assert.equal(await readHostMemory(dir.path, join(dir.path, 'nothing')), totalmem());
});

test('the shape of a model stands in its header; heads may differ from layer to layer', async () => {
  const base = {
    'general.architecture': 'm',
    'm.block_count': 2,
    'm.embedding_length': 64,
    'm.attention.head_count': 8,
  };
  const metadata = (more: object): ReadonlyMap<string, never> =>
    new Map(Object.entries({ ...base, ...more })) as never;
  assert.deepEqual(shapeOf({ metadata: metadata({}) }, 5), {
    weightsBytes: 5,
    layers: 2,
    kvHeads: 8,
    keyLength: 8,
    valueLength: 8,
  });
  assert.equal(shapeOf({ metadata: metadata({ 'm.attention.head_count_kv': [2, 4] }) }, 5)?.kvHeads, 3);
  assert.equal(shapeOf({ metadata: metadata({ 'm.attention.key_length': 128 }) }, 5)?.keyLength, 128);
  assert.equal(shapeOf({ metadata: new Map([['general.architecture', 'clip']]) }, 5), undefined);
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-shape-'));
  const files = [join(dir.path, 'template'), join(dir.path, 'projector'), join(dir.path, 'weights')];
  await writeFile(files[0] ?? '', '{{ .Prompt }}');
  await writeFile(files[1] ?? '', ggufHeader({ 'general.architecture': 'clip' }));
  await writeFile(files[2] ?? '', ggufHeader(base));
  const blobs = files.map((file) => ({ digest: '', file }));
  const stored = { digest: '', bytes: 99, manifest: Buffer.alloc(0), manifestPath: '', blobs };
  assert.equal((await readShape(stored))?.layers, 2);
  assert.equal(await readShape({ ...stored, blobs: blobs.slice(0, 2) }), undefined);
});
