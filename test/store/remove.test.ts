/** Documents that are removed are gone for every reader at once, and stay gone. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { allRowsOf, digestOf, sortDigests } from '../../src/store/digest.ts';
import type { FailureRow, Store } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, hashOf, rowsOf, vectorOf, type SampleDocument } from './samples.ts';
import { denseHits, textHits } from './hits.ts';

const document = (key: string, edition = 'a'): SampleDocument => ({
  key,
  edition,
  texts: [`common ${key} ${edition}`, 'common more'],
});
const failure = (key: string): FailureRow => ({
  document: key,
  hash: '',
  file: `/corpus/${key}`,
  state: 'failed',
  reason: 'damaged',
});
const append = (store: Store, ...documents: SampleDocument[]): Promise<unknown> =>
  store.append(documents.flatMap((each) => rowsOf(each)));

/** By every way in: counted, known, found by words and by vector. */
async function assertThere(store: Store, keys: readonly string[], all: readonly string[]): Promise<void> {
  const sorted = keys.toSorted();
  const known = await store.known(all);
  const done = [...known].filter(([, each]) => each.done !== null).map(([key]) => key);
  const found = async (hits: Promise<readonly (readonly { document: string }[])[]>): Promise<string[]> =>
    [...new Set((await hits)[0]?.map((hit) => hit.document))].toSorted();
  assert.deepEqual(done.toSorted(), sorted);
  assert.deepEqual(await found(textHits(store, ['common'], 100)), sorted);
  assert.deepEqual(await found(denseHits(store, [vectorOf('x')], 100)), sorted);
  const { documents, chunks } = await store.inspect();
  assert.deepEqual([documents.processed, chunks], [keys.length, 2 * keys.length]);
}

test('a removed document is gone at once and after every consolidation, wherever it lay', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const all = ['main', 'shard', 'both', 'stays'];
  await store.beginWriting(encoder, 'one');
  await append(store, document('main'), document('both'), document('stays'));
  await store.consolidate();
  await append(store, document('shard'), document('both', 'b'));
  await store.remove(['main', 'shard', 'both', 'never was there']);
  for (let round = 0; round < 3; round++) {
    await assertThere(store, ['stays'], all);
    await store.consolidate();
  }
  assert.deepEqual(await readdir(path.join(folder.path, 'shards')), []);
  await store.remove(['main']);
  await assertThere(store, ['stays'], all);
});

test('a document that comes back after its removal is there again', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'one');
  await append(store, document('a'));
  await store.consolidate();
  await store.remove(['a']);
  assert.equal((await store.known(['a'])).get('a')?.done, null);
  await append(store, document('a'));
  for (let round = 0; round < 2; round++) {
    assert.equal((await store.known(['a'])).get('a')?.done, hashOf(document('a')));
    await assertThere(store, ['a'], ['a']);
    await store.consolidate();
  }
});

test('failures are removed too, and only those that were there', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const failed = async (): Promise<number> => (await store.inspect()).documents.failed;
  await store.beginWriting(encoder, 'one');
  await store.recordFailures([failure('a'), failure('b')]);
  await store.consolidate();
  await store.recordFailures([failure('c')]);
  await store.remove(['a', 'c']);
  for (let round = 0; round < 2; round++) {
    assert.equal(await failed(), 1);
    await store.consolidate();
  }
  await store.recordFailures([failure('a')]);
  for (let round = 0; round < 2; round++) {
    assert.equal(await failed(), 2);
    await store.consolidate();
  }
});

test('a removal is not forgotten while the shard of a writer that lives may hold the document', async () => {
  await using folder = await scratchFolder();
  await using writing = await openForkedStore(folder.path);
  await using removing = await openForkedStore(folder.path);
  await writing.store.beginWriting(encoder, 'writes');
  await append(writing.store, document('a'), document('b'));
  await removing.store.beginWriting(encoder, 'removes');
  await removing.store.remove(['a']);
  await removing.store.consolidate();
  await assertThere(removing.store, ['b'], ['a', 'b']);
  await writing.store.consolidate();
  for (const { store } of [writing, removing]) await assertThere(store, ['b'], ['a', 'b']);
});

test('another process that reads sees the removal within its next look', { timeout: 20_000 }, async () => {
  await using folder = await scratchFolder();
  await using removing = await openForkedStore(folder.path);
  await using reading = await openForkedStore(folder.path);
  await removing.store.beginWriting(encoder, 'one');
  await append(removing.store, document('a'), document('b'));
  assert.equal((await textHits(reading.store, ['common'], 9))[0]?.length, 4);
  await removing.store.remove(['a']);
  assert.equal((await reading.store.inspect()).documents.processed, 1);
  // Its questions look every five seconds.
  while ((await textHits(reading.store, ['common'], 9))[0]?.length !== 2) await pause(200);
});

test('kill -9 at any moment of a removal and its consolidation brings nothing back', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const keys = Array.from({ length: 40 }, (_, at) => `d${at}`);
  await store.beginWriting(encoder, 'run');
  await append(store, ...keys.map((key) => document(key)));
  await store.consolidate();
  for (let round = 1; round <= 6; round++) {
    await append(store, document('d39', `${round}`));
    const removal = store.remove(keys.slice(0, round * 5));
    if (round % 2 === 0) await removal;
    const consolidated = removal.then(() => store.consolidate());
    await pause(15 * round);
    await forked.kill();
    await consolidated;
    await assertThere(store, keys.slice(round * 5), keys);
  }
});

test('documents are selected by key, corpus, glob and file; a key that exists is no glob', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await append(store, ...['a.md', 'sub/b.md', 'x[1].md', 'x1.md', 'c.jsonl#1'].map((key) => document(key)));
  await store.consolidate();
  await append(store, document('c.jsonl#2'), document('gone.md'));
  await store.recordFailures([failure('bad.pdf'), failure('bad-too.pdf')]);
  await store.remove(['gone.md', 'bad-too.pdf']);
  const select = async (keys: string[], files: string[] = []): Promise<string[]> =>
    (await store.selectNamed({ keys, files })).map((each) => each.document).toSorted();
  assert.deepEqual(await select(['a.md', 'none']), ['a.md']);
  assert.deepEqual(await select(['c.jsonl']), ['c.jsonl#1', 'c.jsonl#2']);
  assert.deepEqual(await select(['c.jsonl#2']), ['c.jsonl#2']);
  assert.deepEqual(await select(['*.md']), ['a.md', 'x1.md', 'x[1].md']);
  assert.deepEqual(await select(['x[1].md']), ['x[1].md']);
  assert.deepEqual(await select(['**/*.{md,pdf}']), ['a.md', 'bad.pdf', 'sub/b.md', 'x1.md', 'x[1].md']);
  assert.deepEqual(await select([], ['/corpus/sub', '/corpus/bad.pdf']), ['bad.pdf', 'sub/b.md']);
  assert.deepEqual(await select([], ['/corp']), []);
});

test('what a listing did not meet is told of its own roots, and of what it lists there', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await append(store, ...['a.md', 'b.md', 'sub/c.md', '.hidden/d.md', 'e.txt'].map((key) => document(key)));
  await store.recordFailures([failure('bad.md')]);
  const unmet = async (root: string, glob: string | null, ...met: string[]): Promise<string[]> => {
    const digests = sortDigests(BigUint64Array.from(met, (key) => digestOf(key)));
    return (await store.selectUnmet({ roots: [{ root, glob }], met: digests }))
      .map((each) => each.document)
      .toSorted();
  };
  assert.deepEqual(await unmet('/corpus', null, 'a.md'), ['b.md', 'bad.md', 'e.txt', 'sub/c.md']);
  assert.deepEqual(await unmet('/corpus', '*.md', 'a.md'), ['b.md', 'bad.md']);
  assert.deepEqual(await unmet('/corpus/sub', null), ['sub/c.md']);
  assert.deepEqual(await unmet('/corp', null), []);
  assert.deepEqual(await unmet('/', null, 'a.md', 'b.md', 'e.txt', 'bad.md'), ['sub/c.md']);
});

test('a corpus that was passed over is met with all of its rows, and with those of no other', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await append(store, ...['c.jsonl#1', 'c.jsonl#2', 'd.jsonl#1', 'c.jsonl'].map((key) => document(key)));
  const met = sortDigests(BigUint64Array.of(allRowsOf('c.jsonl'), digestOf('d.jsonl')));
  const unmet = await store.selectUnmet({ roots: [{ root: '/corpus', glob: null }], met });
  assert.deepEqual(unmet.map((each) => each.document).toSorted(), ['c.jsonl', 'd.jsonl#1']);
});

for (const documents of [20, 1_050])
  test(`of ${documents} documents at once the new version takes the place of the old one, and the others stay`, async () => {
    await using folder = await scratchFolder();
    await using forked = await openForkedStore(folder.path);
    const { store } = forked;
    await store.beginWriting(encoder, 'run');
    const keys = Array.from({ length: documents }, (_, at) => `${at}.md`);
    const version = (edition: string, texts: readonly string[]) =>
      [...keys, ...(edition === 'a' ? ['other.md'] : [])].flatMap((key) => rowsOf({ key, edition, texts }));
    await store.append(version('a', ['one', 'two']));
    await store.consolidate();
    await store.append(version('b', ['new']));
    await store.consolidate();
    assert.equal((await store.inspect()).chunks, documents + 2);
    await store.remove(keys);
    await store.consolidate();
    assert.equal((await store.inspect()).chunks, 2);
    assert.deepEqual((await store.verify()).problems, []);
  });
