/** Reading beside writing, in one host and in several. */
import assert from 'node:assert/strict';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Store } from '../../src/store/types.ts';
import { onlyShard, openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, rowsOf, vectorOf } from './samples.ts';
import { textHits } from './hits.ts';

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

test('questions are answered while many shards are removed one after the other', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await using other = await openForkedStore(folder.path);
  const { store } = forked;
  const shards = 25;
  for (let run = 0; run < shards; run++) {
    await store.beginWriting(encoder, `run${run}`);
    await store.append(rowsOf({ key: `d${run}`, texts: ['text'] }));
  }
  const merging = { done: false };
  const consolidated = store.consolidate().finally(() => (merging.done = true));
  consolidated.catch(() => undefined);
  while (!merging.done) {
    for (const reader of [store, other.store]) {
      assert.equal((await reader.inspect()).chunks, shards);
      assert.equal((await reader.searchText(['text'], 50))[0]?.length, shards);
    }
  }
  await consolidated;
});

test('a run begins, and removes, while another one merges and removes many shards', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await using other = await openForkedStore(folder.path);
  const { store } = forked;
  for (let round = 0; round < 3; round++) {
    for (let run = 0; run < 12; run++) {
      await store.beginWriting(encoder, `run${round}-${run}`);
      await store.append(rowsOf({ key: `d${round}.${run}`, texts: ['text'] }));
    }
    const merging = { done: false };
    const consolidated = store.consolidate().finally(() => (merging.done = true));
    consolidated.catch(() => undefined);
    for (let run = 0; !merging.done; run++) {
      await other.store.beginWriting(encoder, `other${round}-${run}`);
      await other.store.remove([`never${run}`]);
    }
    await consolidated;
  }
  assert.equal((await store.inspect()).chunks, 36);
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

test('who found nothing at all finds the first document as soon as it is committed', async () => {
  await using folder = await scratchFolder();
  await using reading = await openForkedStore(folder.path);
  assert.deepEqual(await reading.store.searchText(['text'], 10), [[]]);
  await using writing = await openForkedStore(folder.path);
  await writing.store.beginWriting(encoder, 'run');
  await writing.store.append(rowsOf({ key: 'd', texts: ['text'] }));
  assert.equal((await reading.store.searchText(['text'], 10))[0]?.length, 1);
});

test('two runs of one name have their own shards', async () => {
  await using folder = await scratchFolder();
  await using one = await openForkedStore(folder.path);
  await using two = await openForkedStore(folder.path);
  for (const [at, { store }] of [one, two].entries()) {
    await store.beginWriting(encoder, 'run');
    await store.append(rowsOf({ key: `d${at}`, texts: ['text'] }));
  }
  const names = await readdir(path.join(folder.path, 'shards'));
  assert.equal(names.filter((name) => /^run\.[\da-f]{8}\.lance$/.test(name)).length, 2);
  assert.equal((await one.store.inspect()).chunks, 2);
});

test('a run leaves the shard of another that lives alone, and merges it when it has died', async () => {
  await using folder = await scratchFolder();
  await using one = await openForkedStore(folder.path);
  await using two = await openForkedStore(folder.path);
  await one.store.beginWriting(encoder, 'one');
  await one.store.append(rowsOf({ key: 'a', texts: ['text'] }));
  await two.store.beginWriting(encoder, 'two');
  await two.store.append(rowsOf({ key: 'b', texts: ['text'] }));
  await two.store.consolidate();
  assert.deepEqual(await counts(two.store), [2, 1]);
  await one.store.append(rowsOf({ key: 'c', texts: ['text'] }));
  assert.deepEqual(await counts(two.store), [3, 1]);
  await one.kill();
  await two.store.consolidate();
  assert.deepEqual(await counts(two.store), [3, 0]);
});

test('a writer whose shard is taken away writes again what it had not acknowledged', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append(rowsOf({ key: 'a', texts: ['text'] }));
  await rename(await onlyShard(folder.path), path.join(folder.path, 'elsewhere'));
  await store.append(rowsOf({ key: 'b', texts: ['text'] }));
  assert.deepEqual(
    [...(await store.known(['b'])).values()].map(({ done }) => done === null),
    [false],
  );
});

test('a shard that is removed under its writer takes nothing of what comes after with it', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const keys = Array.from({ length: 6 }, (_, at) => `d${at}`);
  for (const key of keys) {
    await store.append(rowsOf({ key, texts: ['text'] }));
    // The file system may give the next folder the same number.
    for (const name of await readdir(path.join(folder.path, 'shards')))
      await rm(path.join(folder.path, 'shards', name), { recursive: true });
  }
  await store.append(rowsOf({ key: 'last', texts: ['text'] }));
  await forked.kill();
  assert.deepEqual(
    (await textHits(store, ['text'], 9))[0]?.map(({ document }) => document),
    ['last'],
  );
});

test('two runs that consolidate at once give one table with every document once', async () => {
  await using folder = await scratchFolder();
  const hosts = await Promise.all([openForkedStore(folder.path), openForkedStore(folder.path)]);
  try {
    for (const [at, { store }] of hosts.entries()) {
      await store.beginWriting(encoder, `run${at}`);
      const documents = Array.from({ length: 30 }, (_, n) =>
        rowsOf({ key: `d${at}.${n}`, texts: ['text', 'more'] }),
      );
      await store.append(documents.flat());
    }
    for (let round = 0; round < 3; round++) await Promise.all(hosts.map(({ store }) => store.consolidate()));
    for (const { store } of hosts) assert.deepEqual(await counts(store), [60, 0]);
    assert.equal((await hosts[0].store.inspect()).chunks, 120);
  } finally {
    for (const host of hosts) await host[Symbol.asyncDispose]();
  }
});

const counts = async (store: Store): Promise<number[]> => {
  const { documents, shards } = await store.inspect();
  return [documents.processed, shards];
};
