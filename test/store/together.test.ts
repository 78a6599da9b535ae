/** Reading beside writing, in one host and in several. */
import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, rowsOf, vectorOf } from './samples.ts';

test('questions asked while shards are merged and removed see every document once', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await using other = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  for (let round = 1; round <= 4; round++) {
    const batch = Array.from({ length: 50 }, (_, at) => ({ key: `d${round}.${at}`, texts: ['text'] }));
    await store.append(batch.flatMap((document) => rowsOf(document)));
    const merging = { done: false };
    const consolidated = store.consolidate().finally(() => (merging.done = true));
    while (!merging.done) {
      for (const reader of [store, other.store]) {
        assert.equal((await reader.inspect()).chunks, 50 * round);
      }
      assert.equal((await store.searchText(['text'], 500))[0]?.length, 50 * round);
      assert.equal((await store.searchDense([vectorOf('x')], 500))[0]?.length, 50 * round);
    }
    await consolidated;
    assert.equal((await store.inspect()).shards, 0);
  }
});

test('a second host reads what is committed while the first one writes', async () => {
  await using folder = await scratchFolder();
  await using writing = await openForkedStore(folder.path);
  await using reading = await openForkedStore(folder.path);
  await writing.store.beginWriting(encoder, 'run');
  for (let at = 0; at < 3; at++) {
    await writing.store.append(rowsOf({ key: `d${at}`, texts: ['text', 'more'] }));
    assert.equal((await reading.store.inspect()).chunks, 2 * (at + 1));
  }
  assert.equal((await reading.store.searchText(['text'], 10))[0]?.length, 3);
  await writing.store.consolidate();
  assert.equal(
    (await reading.store.searchText(['text'], 10))[0]?.length,
    3,
    'the shard was merged and removed meanwhile',
  );
});

test('two runs of one name have their own shards', async () => {
  await using folder = await scratchFolder();
  await using one = await openForkedStore(folder.path);
  await using two = await openForkedStore(folder.path);
  await mkdir(path.join(folder.path, 'shards', 'run-2.lance'), { recursive: true });
  for (const [at, { store }] of [one, two].entries()) {
    await store.beginWriting(encoder, 'run');
    await store.append(rowsOf({ key: `d${at}`, texts: ['text'] }));
  }
  assert.deepEqual(await readdir(path.join(folder.path, 'shards')), [
    'run-2.lance',
    'run-3.lance',
    'run.lance',
  ]);
  assert.equal((await one.store.inspect()).chunks, 2);
});
