/** BM25 of the store: words of several languages, and the ranking and scores of a reference scorer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/types.ts';
import { languageOf } from '../../../src/words/language.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { textHits } from '../hits.ts';
import { encoder, rowsOf } from '../samples.ts';

/** @param texts by the key of their document */
async function write(store: Store, texts: Readonly<Record<string, string>>): Promise<void> {
  await store.beginWriting(encoder, 'run');
  await store.append(
    Object.entries(texts).flatMap(([key, text]) =>
      rowsOf({ key, title: `headline${key}`, language: languageOf(text), texts: [text] }),
    ),
  );
}

/** In a shard and in main. @param expected keys that each question finds, best first */
async function assertFound(
  store: Store,
  expected: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  for (const state of ['shard', 'main']) {
    const lists = await textHits(store, Object.keys(expected), 5);
    for (const [at, [query, wanted]] of Object.entries(expected).entries()) {
      const found = (lists[at] ?? []).map(({ document }) => document);
      assert.deepEqual(found, wanted, `${JSON.stringify(query)} in the ${state}`);
    }
    await store.consolidate();
  }
}

test('words of an English index are found in their forms, and words that other languages leave out', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await write(forked.store, {
    forms: 'The cats were running through several studies of naïve mice, and it was the first of these',
    dog: 'It is the dog of the men who die, and this is all that there is about it',
    filler: 'These are entirely unrelated words about granite and about basalt 3.5',
  });
  await assertFound(forked.store, {
    cat: ['forms'],
    'run study': ['forms'],
    naive: ['forms'],
    dogs: ['dog'],
    'men die': ['dog'],
    die: ['dog'],
    'what is headlinedog': ['dog'],
    '3.5': ['filler'],
    '5': [],
    'the of': [],
    '!!! ... "': [],
    'granite AND (': ['filler'],
    '-basalt:* ~': ['filler'],
    '': [],
    '\u0000': [],
  });
});

test('an index of many languages finds each by its own stems, and texts that tell none as they are', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await write(forked.store, {
    english: 'The houses of the patients were treated, and they were not the only ones in this city',
    german: 'Die Häuser der Krankenhäuser sind nicht die einzigen in dieser Stadt, und das ist auch gut so',
    french: 'Le café de la forêt était très agréable, et les chevaux ne sont pas dans la maison de la ville',
    arabic: 'القطة تجلس على السجادة في المطبخ ولا تريد أن تأكل من أحمد',
    chinese: '信息检索系统使用倒排索引',
    japanese: '猫がマットの上に座っています。東京大学の図書館です',
    thai: 'แมวนั่งบนเสื่อในห้องครัว',
    korean: '고양이가 도서관에서 책을 읽고 있습니다',
    short: 'Zyklotron protocols',
  });
  await assertFound(forked.store, {
    patient: ['english'],
    haus: ['german'],
    häuser: ['german'],
    'CAFE foret': ['french'],
    'café forêt': ['french'],
    cheval: ['french'],
    'السجاده أَحْمَد': ['arabic'],
    检索: ['chinese'],
    图书馆: [],
    図書館: ['japanese'],
    猫: ['japanese'],
    แมว: ['thai'],
    도서관: ['korean'],
    protocols: ['short'],
    // German, so that its "die" is none of the English, and no word of it is left.
    'was ist das': [],
    'the only': [],
  });
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

/** Plain BM25 (k1 1.2, b 0.75, Lucene's idf); a word that the question has twice counts twice. */
function referenceScores(documents: readonly string[], query: string): number[] {
  const split = documents.map((text) => text.toLowerCase().split(/\s+/v));
  const mean = split.reduce((sum, words) => sum + words.length, 0) / split.length;
  const idf = (term: string): number => {
    const holding = split.filter((words) => words.includes(term)).length;
    return Math.log(1 + (split.length - holding + 0.5) / (holding + 0.5));
  };
  const terms = query.split(' ').map((term) => ({ term, weight: idf(term) }));
  return split.map((words) =>
    terms.reduce((score, { term, weight }) => {
      const count = words.filter((word) => word === term).length;
      return score + (weight * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words.length) / mean));
    }, 0),
  );
}

interface Scored {
  readonly document: string;
  readonly score: number;
}

function referenceRanking(texts: readonly string[], query: string): Scored[] {
  const documents = texts.map((text, at) => `title${at} ${text}`);
  return referenceScores(documents, query)
    .map((score, at) => ({ document: `d${at}`, score }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 10);
}

test('ranking and scores are those of a reference BM25, in one table and at every step of a growing shard', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const random = makeRandom(7);
  const texts = Array.from({ length: 400 }, () => makeText(random, 20 + Math.floor(random() * 80)));
  const rows = texts.flatMap((text, at) => rowsOf({ key: `d${at}`, title: `title${at}`, texts: [text] }));
  const queries = Array.from({ length: 15 }, () => makeText(random, 4));
  const assertReference = async (written: number): Promise<void> => {
    const lists = await textHits(store, queries, 10);
    for (const [at, query] of queries.entries()) {
      const expected = referenceRanking(texts.slice(0, written), query);
      const found = lists[at] ?? [];
      for (const [rank, { score }] of expected.entries()) {
        const difference = Math.abs(score - (found[rank]?.score ?? 0));
        assert.ok(
          difference < 1e-9,
          `${written} texts, ${query}: ${found[rank]?.score} at ${rank}, not ${score}`,
        );
      }
    }
  };
  await store.beginWriting(encoder, 'run');
  for (let at = 0; at < rows.length; at += 80) {
    await store.append(rows.slice(at, at + 80));
    await assertReference(at + 80);
  }
  await store.consolidate();
  await assertReference(rows.length);
});

test('of equal scores the smaller id comes first, however many there are', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const keys = Array.from({ length: 300 }, (_, at) => `d${at}`);
  const rows = keys.flatMap((key) => rowsOf({ key, title: 'same', texts: ['granite and basalt'] }));
  await store.beginWriting(encoder, 'run');
  await store.append(rows);
  const expected = rows.map(({ chunk }) => chunk).sort();
  for (const k of [1, 7, 300]) {
    const [hits = []] = await store.searchText(['basalt'], k);
    assert.deepEqual(
      hits.map(({ chunk }) => chunk),
      expected.slice(0, k),
    );
  }
});

test('a filter leaves out rows and changes no score', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const random = makeRandom(3);
  const rows = Array.from({ length: 200 }, (_, at) =>
    rowsOf({ key: `${at % 10 === 0 ? 'tenth' : 'other'}/${at}`, texts: [makeText(random, 30)] }),
  );
  await store.beginWriting(encoder, 'run');
  await store.append(rows.flat());
  for (const state of ['shard', 'main']) {
    const query = makeText(random, 12);
    const [all = []] = await textHits(store, [query], 200);
    const [filtered = []] = await textHits(store, [query], 5, [{ field: 'document', globs: ['tenth/*'] }]);
    assert.deepEqual(
      filtered,
      all.filter(({ document }) => document.startsWith('tenth/')).slice(0, 5),
      state,
    );
    assert.equal(filtered.length, 5);
    await store.consolidate();
  }
});
