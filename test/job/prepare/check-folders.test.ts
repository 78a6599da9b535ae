import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { load } from '../../../src/config/load.ts';
import { codeOf } from '../../../src/errors.ts';
import { checkFolders, checkIndexed, refuseToAsk } from '../../../src/job/prepare/check-folders.ts';
import { claimRecord } from '../../../src/store/write/record.ts';
import { encoder } from '../../store/samples.ts';

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

test('an index that nothing here could ask is no empty one: who made it is said, and what would ask it', async () => {
  const [none, embedded, other] = ['none', 'embedded', 'other'].map((name) => join(folder, 'asked', name));
  await claimRecord(embedded ?? '', { ...encoder, model: 'embedded-hashing' });
  await claimRecord(other ?? '', { ...encoder, model: 'bge-m3' });
  const ask = (dir = '') => refuseToAsk(settings({ RAG_WORKING_DIR: dir }));
  await assert.rejects(ask(none), { code: 'no-input' });
  await assert.rejects(ask(embedded), { code: 'preflight', hint: /^export RAG_ENGINE=embedded/ });
  await assert.rejects(ask(other), { code: 'preflight', message: /bge-m3 made it/, hint: /OLLAMA_BIN/ });
});
