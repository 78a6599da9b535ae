/** What the index says of the rows of a corpus, beside the same words counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, holds, makeCorpusDigest, makeDigestList, sortDigests } from '../../../src/store/digest.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, hashOf, rowsOf, type SampleDocument } from '../samples.ts';

const row = (corpus: string, id: number, edition = 'a'): SampleDocument => ({
  key: `${corpus}#${id}`,
  edition,
  texts: [`text ${id}`, 'more'],
});

function stateOf(documents: readonly SampleDocument[]) {
  const digest = makeCorpusDigest();
  for (const document of documents) digest.add({ document: document.key, hash: hashOf(document) });
  return digest.state();
}

test('the state of a corpus is that of its complete rows, wherever they lie and in any order', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const old = [row('c', 1), row('c', 2), row('c', 3)];
  const others = [row('c.jsonl', 1), row("c's", 1), { key: 'c', texts: ['a file'] }];
  assert.deepEqual(await store.corpusState('c'), stateOf([]));
  await store.beginWriting(encoder, 'run');
  await store.append([...old, ...others].flatMap((document) => rowsOf(document)));
  assert.deepEqual(await store.corpusState('c'), stateOf(old.toReversed()));
  await store.consolidate();
  assert.deepEqual(await store.corpusState('c'), stateOf(old));
  assert.deepEqual(await store.corpusState("c's"), stateOf([row("c's", 1)]));
  const [begun] = rowsOf(row('c', 3, 'b'));
  assert.ok(begun);
  await store.append([...rowsOf(row('c', 2, 'b')), ...rowsOf(row('c', 4)), begun]);
  const now = stateOf([row('c', 1), row('c', 2, 'b'), row('c', 3), row('c', 4)]);
  assert.equal(now.rows, 4);
  assert.deepEqual(await store.corpusState('c'), now);
  await store.consolidate();
  assert.deepEqual(await store.corpusState('c'), now);
});

test('a corpus of other contents, or of one row more, has another state', () => {
  const states = [[1, 2], [1], [1, 2, 3], [1, 3]].map((ids) => stateOf(ids.map((id) => row('c', id))).digest);
  assert.equal(new Set(states).size, 4);
  assert.notEqual(stateOf([row('c', 1)]).digest, stateOf([row('c', 1, 'b')]).digest);
});

test('a sorted list of digests holds what was put into it and nothing else', () => {
  const list = makeDigestList();
  for (let n = 0; n < 3000; n++) list.add(digestOf(`${n}`));
  const sorted = sortDigests(list.slice());
  assert.equal(list.length, 3000);
  assert.ok(Array.from({ length: 3000 }, (_, n) => `${n}`).every((word) => holds(sorted, digestOf(word))));
  assert.ok(!holds(sorted, digestOf('3000')));
  assert.ok(!holds(sortDigests(makeDigestList().slice()), 0n));
});
