/** BM25 over shards is BM25 over one table: the same passages, the same scores, whoever wrote and merged what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ranked, Store } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, rowsOf, type SampleDocument } from './samples.ts';

/** A fixed sequence of numbers in 0-1. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const roots = Array.from(
  { length: 60 },
  (_, at) => `${'bdfgklmnprst'[at % 12]}${'aeiou'[at % 5]}${at.toString(36)}q`,
);
const endings = ['', 's', 'ing', 'ung'];
const languages = ['en', 'en', 'en', 'de', ''];

/** Some words are in most texts, most are in few. */
function makeText(random: () => number, words: number): string {
  const pick = <T>(from: readonly T[], skew: number): T | undefined =>
    from[Math.floor(from.length * random() ** skew)];
  return Array.from({ length: words }, () => `${pick(roots, 3)}${pick(endings, 2)}`).join(' ');
}

function makeDocuments(random: () => number, count: number): SampleDocument[] {
  return Array.from({ length: count }, (_, at) => ({
    key: `d${at}`,
    title: makeText(random, 2),
    language: languages[at % languages.length] ?? '',
    texts: Array.from({ length: 1 + (at % 3) }, () => makeText(random, 10 + Math.floor(random() * 60))),
  }));
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}

const random = makeRandom(11);
const documents = makeDocuments(random, 400);
const queries = Array.from({ length: 200 }, () => makeText(random, 1 + Math.floor(random() * 7)));
const depth = 100;

const append = (store: Store, some: readonly SampleDocument[]): Promise<unknown> =>
  store.append(some.flatMap((document) => rowsOf(document)));

function assertEqual(actual: readonly Ranked[][], expected: readonly Ranked[][], when: string): void {
  for (const [at, list] of expected.entries()) {
    const ids = (hits: readonly Ranked[] = []): string[] => hits.map(({ chunk }) => chunk);
    assert.deepEqual(ids(actual[at]), ids(list), `${when}: ${queries[at]}`);
    for (const [rank, { score }] of list.entries())
      assert.ok(
        Math.abs(score - (actual[at]?.[rank]?.score ?? 0)) < 1e-6,
        `${when}: score ${rank} of ${queries[at]}`,
      );
  }
}

test('eight shards rank as one table does, also after a writer was killed and while two merge', async () => {
  await using single = await scratchFolder();
  await using sharded = await scratchFolder();
  await using one = await openForkedStore(single.path);
  await one.store.beginWriting(encoder, 'run');
  await append(one.store, documents);
  await one.store.consolidate();
  const expected = await one.store.searchText(queries, depth);
  assert.ok(expected.filter((list) => list.length === depth).length > 150, 'most questions fill their list');

  await using eight = await openForkedStore(sharded.path);
  const mixed = shuffled(documents, random);
  await eight.store.beginWriting(encoder, 'run');
  for (let shard = 0; shard < 8; shard++) {
    await append(eight.store, mixed.slice(shard * 50, (shard + 1) * 50));
    await eight.store.release();
  }
  assert.equal((await eight.store.inspect()).shards, 8);
  assertEqual(await eight.store.searchText(queries, depth), expected, 'eight shards');

  await using killed = await openForkedStore(sharded.path);
  await killed.store.beginWriting(encoder, 'killed');
  const unfinished = makeDocuments(random, 60).map((each) => ({ ...each, key: `unfinished ${each.key}` }));
  const rest = unfinished.flatMap((each) => rowsOf(each)).filter(({ ordinal }) => ordinal > 0);
  await killed.store.append(rest.slice(0, 30));
  const appending = killed.store.append(rest.slice(30));
  await killed.kill();
  await appending;
  await killed.kill();
  await using after = await openForkedStore(sharded.path);
  assertEqual(await after.store.searchText(queries, depth), expected, 'after a writer was killed');

  await using other = await openForkedStore(sharded.path);
  const merging = [after.store.consolidate(), other.store.consolidate()];
  await other.kill();
  await Promise.all(merging);
  assertEqual(await after.store.searchText(queries, depth), expected, 'after two merged and one was killed');
  await other.store.consolidate();
  assertEqual(await other.store.searchText(queries, depth), expected, 'merged');
  const { chunks } = await other.store.inspect();
  assert.equal(chunks, documents.flatMap(({ texts }) => texts).length);
});
