import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

const kept = { key: 'kept.txt', title: 'Kept', texts: ['first', 'second'] };
const changed = { key: 'changed.txt', texts: ['old'] };
const gone = { key: 'gone.txt', texts: ['going'] };
const chunksOf = (document: typeof kept | typeof gone): string[] =>
  rowsOf(document).map(({ chunk }) => chunk);

test('passages are told by their chunks, in a shard and in main, and no more when they were replaced or removed', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append([kept, changed, gone].flatMap((each) => rowsOf(each)));
  const all = [kept, changed, gone].flatMap((each) => chunksOf(each));
  const textsOf = async (): Promise<string[]> =>
    (await store.passages([...all, ...all, 'f'.repeat(32)]))
      .map(({ title, text }) => `${title}: ${text}`)
      .toSorted();
  const everything = ['Kept: first', 'Kept: second', 'changed.txt: old', 'gone.txt: going'];
  assert.deepEqual(await textsOf(), everything, 'in a shard');
  await store.consolidate();
  assert.deepEqual(await textsOf(), everything, 'in main');
  // A question has rows read into memory; the next one may find them there.
  await store.searchDense([vectorOf('first')], 3);
  await store.remove([gone.key]);
  await store.append(rowsOf({ ...changed, edition: 'b', texts: ['new'] }));
  assert.deepEqual(await textsOf(), ['Kept: first', 'Kept: second'], 'known as removed and replaced');
  await store.consolidate();
  assert.deepEqual(await textsOf(), ['Kept: first', 'Kept: second'], 'merged');
});
