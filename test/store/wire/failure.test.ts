import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeOf, RagError } from '../../../src/errors.ts';
import { namingFailure } from '../../../src/store/wire/failure.ts';

const codeFor = (message: string): Promise<string | undefined> =>
  namingFailure('/index', () => Promise.reject(new Error(message))).then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );

test('namingFailure() reads what Lance and the kernel say', async () => {
  assert.equal(
    await codeFor('lance error: LanceError(IO): No space left on device (os error 28)'),
    'disk-full',
  );
  assert.equal(await codeFor('Disk quota exceeded (os error 122)'), 'disk-full');
  assert.equal(await codeFor("EACCES: permission denied, mkdir '/index/shards'"), 'preflight');
  assert.equal(await codeFor('Read-only file system (os error 30)'), 'preflight');
  assert.equal(await codeFor('lance error: Not found: index/main.lance/data/x.lance'), 'index-damaged');
  assert.equal(await codeFor('failed to fill whole buffer'), 'index-damaged');
  assert.equal(await codeFor('something new'), undefined);
});

test('namingFailure() keeps an error that has a name', async () => {
  const named = new RagError('aborted', 'Cannot go on: not found');
  await assert.rejects(
    namingFailure('/index', () => Promise.reject(named)),
    named,
  );
});
