/** BM25 of the store: words of several languages, and the ranking of a reference scorer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, rowsOf } from './samples.ts';
import { textHits } from './hits.ts';

test('words are found in their forms, without accents, in Chinese, in the title, whatever else is asked', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const texts: Record<string, string> = {
    forms: 'The cats were running through several studies of naïve mice',
    chinese: '信息检索系统使用倒排索引',
    accents: 'Le café de la forêt était très agréable; Müller aß dort',
    dog: 'Die dog men can use',
    filler: 'Entirely unrelated words about granite and basalt',
  };
  await store.beginWriting(encoder, 'run');
  await store.append(
    Object.entries(texts).flatMap(([key, text]) => rowsOf({ key, title: `Headline${key}`, texts: [text] })),
  );
  const expected: Record<string, string[]> = {
    cat: ['forms'],
    'run study': ['forms'],
    naive: ['forms'],
    检索: ['chinese'],
    'CAFE foret': ['accents'],
    'muller tres': ['accents'],
    dogs: ['dog'],
    'men die': ['dog'],
    headlinedog: ['dog'],
    'the of': [],
    '!!! ... "': [],
    'granite AND (': ['filler'],
    '-basalt:* ~': ['filler'],
    '': [],
    '\u0000': [],
  };
  for (const state of ['shard', 'main']) {
    const lists = await textHits(store, Object.keys(expected), 3);
    for (const [at, [query, wanted]] of Object.entries(expected).entries()) {
      const found = (lists[at] ?? []).map(({ document }) => document);
      assert.deepEqual(found, wanted, `${JSON.stringify(query)} in the ${state}`);
    }
    await store.consolidate();
  }
});

const vocabulary = Array.from({ length: 300 }, (_, at) => `term${at.toString(36)}q`);

/** A fixed sequence of numbers in 0-1. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function makeText(random: () => number, words: number): string {
  const word = (): string => vocabulary[Math.floor(vocabulary.length * random() ** 2)] ?? '';
  return Array.from({ length: words }, word).join(' ');
}

/** Plain BM25 (k1 1.2, b 0.75, Lucene's idf). */
function referenceScores(documents: readonly string[], query: string): number[] {
  const split = documents.map((text) => text.toLowerCase().split(/\s+/v));
  const mean = split.reduce((sum, words) => sum + words.length, 0) / split.length;
  const terms = [...new Set(query.split(' '))];
  const idf = new Map(
    terms.map((term) => {
      const holding = split.filter((words) => words.includes(term)).length;
      return [term, Math.log(1 + (split.length - holding + 0.5) / (holding + 0.5))];
    }),
  );
  return split.map((words) =>
    terms.reduce((score, term) => {
      const count = words.filter((word) => word === term).length;
      return (
        score + ((idf.get(term) ?? 0) * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words.length) / mean))
      );
    }, 0),
  );
}

test('the best ten are those of a reference BM25, in one table and while a shard grows', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const random = makeRandom(7);
  const texts = Array.from({ length: 400 }, () => makeText(random, 20 + Math.floor(random() * 80)));
  const rows = texts.flatMap((text, at) => rowsOf({ key: `d${at}`, title: `title${at}`, texts: [text] }));
  const queries = Array.from({ length: 30 }, () => makeText(random, 4));
  const reference = queries.map((query) =>
    referenceScores(
      texts.map((text, at) => `title${at} ${text}`),
      query,
    )
      .map((score, at) => ({ key: `d${at}`, score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 10)
      .map(({ key }) => key),
  );
  const overlap = async (): Promise<number> => {
    const lists = await textHits(store, queries, 10);
    const shares = lists.map(
      (hits, at) => hits.filter(({ document }) => reference[at]?.includes(document)).length / 10,
    );
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  await store.beginWriting(encoder, 'run');
  for (let at = 0; at < rows.length; at += 50) await store.append(rows.slice(at, at + 50));
  const whileGrowing = await overlap();
  await store.consolidate();
  const inMain = await overlap();
  assert.ok(whileGrowing >= 0.9 && inMain >= 0.97, `overlap ${whileGrowing} in a shard, ${inMain} in main`);
});
