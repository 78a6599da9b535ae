import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linkOldNames } from '../../../src/job/shown/old-names.ts';

test('ollama-serve.log leads to the log of the server that was started last', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-names-'));
  const instances = [{ id: 'ollama-generate', role: 'generate', model: 'm', gpus: [] }] as const;
  for (const job of ['7', '8'])
    await linkOldNames(dir.path, join(dir.path, job), { engine: 'ollama', instances }, 'ingest');
  assert.equal(await readlink(join(dir.path, 'ollama-serve.log')), '8/ollama-generate.log');
  await linkOldNames('/nowhere', '/nowhere/7', { engine: 'ollama', instances }, 'ingest');
  await linkOldNames(dir.path, join(dir.path, '9'), { engine: 'embedded', instances }, 'ingest');
  assert.deepEqual(await readdir(dir.path), ['ollama-serve.log']);
});

test('of two layouts it leads to what has been started', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-names-'));
  const instances = [
    { id: 'ollama-generate', role: 'generate', model: 'm', gpus: [], layout: 'answering' },
    { id: 'ollama-embed-1', role: 'embed', model: 'e', gpus: [], layout: 'ingest' },
  ] as const;
  const linkIn = async (layout: 'ingest' | 'answering'): Promise<string> => {
    await linkOldNames(dir.path, join(dir.path, '7'), { engine: 'ollama', instances }, layout);
    return await readlink(join(dir.path, 'ollama-serve.log'));
  };
  assert.equal(await linkIn('ingest'), '7/ollama-embed-1.log');
  assert.equal(await linkIn('answering'), '7/ollama-generate.log');
});
