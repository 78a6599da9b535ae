import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linkOldNames } from '../../src/job/old-names.ts';

test('ollama-serve.log leads to the log of the server that was started last', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-names-'));
  const instances = [{ id: 'ollama-generate', role: 'generate', model: 'm', gpus: [] }] as const;
  for (const job of ['7', '8'])
    await linkOldNames(dir.path, join(dir.path, job), { engine: 'ollama', instances });
  assert.equal(await readlink(join(dir.path, 'ollama-serve.log')), '8/ollama-generate.log');
  await linkOldNames('/nowhere', '/nowhere/7', { engine: 'ollama', instances });
  await linkOldNames(dir.path, join(dir.path, '9'), { engine: 'embedded', instances });
  assert.deepEqual(await readdir(dir.path), ['ollama-serve.log']);
});
