import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { load } from '../../../src/config/load.ts';
import { codeOf } from '../../../src/errors.ts';
import { checkFolders, checkIndexed } from '../../../src/job/prepare/check-folders.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folders-'));
});
after(() => rm(folder, { recursive: true }));

const settings = (environment: Record<string, string>) =>
  load({
    flags: {},
    environment: { RAG_SHARED_ROOT: folder, LOG_ROOT: join(folder, 'logs'), ...environment },
  }).settings;

test('checkFolders() lets folders pass that can be made, and makes none', async () => {
  await checkFolders(settings({ RAG_WORKING_DIR: join(folder, 'a/b/c') }), true);
  assert.deepEqual(await readdir(folder), []);
});

test('checkFolders() names the setting of a place that cannot be written', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    checkFolders(settings({ RAG_WORKING_DIR: join(folder, 'file') }), true),
    (error: Error & { hint?: string }) => {
      assert.equal(codeOf(error), 'preflight');
      assert.match(error.message, /is no folder/);
      assert.match(String(error.hint), /RAG_WORKING_DIR|RAG_SHARED_ROOT/);
      return true;
    },
  );
});

test('checkFolders() does not ask for leave to write an index from which questions are answered', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await checkFolders(settings({ RAG_WORKING_DIR: file }), false);
  await assert.rejects(checkFolders(settings({ LOG_ROOT: file }), false), /is no folder/);
});

test('checkIndexed() tells a missing index from one that knows no answer', async () => {
  await assert.rejects(checkIndexed(settings({})), (error: Error) => codeOf(error) === 'no-input');
});
