/** Filters in both searches, in shards and in main, and what users may write in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFilter } from '../../src/query/filter.ts';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { denseHits, textHits } from './hits.ts';
import { encoder, rowsOf, vectorOf } from './samples.ts';

const texts = ['moon one', 'moon two', 'moon three'];
const documents = [
  { key: 'reports/2020/a.pdf', title: 'Rivers, lakes', texts, labels: ['year=2020', 'type=pdf'] },
  { key: 'reports/b.txt', title: "O'Brien's (notes) [1]", texts, labels: ['year=2021', 'type=txt'] },
  { key: 'med/chunk/x.jsonl#7', title: 'Dose', texts, labels: ["who=O'Brien", 'year=2021'] },
  { key: 'med.jsonl#7', title: 'Dose', texts, labels: [] },
];

/** Pages are 0, 1 and 2. By condition, the documents that are found. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'document=reports/**': ['reports/2020/a.pdf', 'reports/b.txt'],
  'document=reports/*': ['reports/b.txt'],
  'document=reports/b.txt': ['reports/b.txt'],
  'document=**/?.pdf': ['reports/2020/a.pdf'],
  'document=med.jsonl': ['med.jsonl#7'],
  'document=medXjsonl#7': [],
  'corpus=med': ['med/chunk/x.jsonl#7'],
  'corpus=med*': ['med.jsonl#7', 'med/chunk/x.jsonl#7'],
  'file=/corpus/reports/b.txt': ['reports/b.txt'],
  'file=*.pdf,b.txt': ['reports/2020/a.pdf', 'reports/b.txt'],
  "title=o'brien's (notes) [1]": ['reports/b.txt'],
  'title=*LAKES': ['reports/2020/a.pdf'],
  'title=dose': ['med.jsonl#7', 'med/chunk/x.jsonl#7'],
  'year=2021': ['med/chunk/x.jsonl#7', 'reports/b.txt'],
  'year=2020,2021 type=pdf,txt': ['reports/2020/a.pdf', 'reports/b.txt'],
  "who=O'Brien": ['med/chunk/x.jsonl#7'],
  "who=x') OR (1=1": [],
  "document=' OR '1'='1": [],
  'title=\\': [],
};

test('both searches find what a filter lets pass, in a shard and in main, and nobody writes SQL', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append(documents.flatMap((each) => rowsOf(each)));
  for (const place of ['in a shard', 'in main']) {
    for (const [text, wanted] of Object.entries(expected)) {
      const filter = readFilter(text.split(/ (?=type=)/u));
      for (const [hits = []] of [
        await textHits(store, ['moon'], 20, filter),
        await denseHits(store, [vectorOf('moon')], 20, filter),
      ]) {
        const found = new Set(hits.map(({ document }) => document));
        assert.deepEqual([...found].toSorted(), wanted, `${text} ${place}`);
      }
    }
    const pages = await denseHits(store, [vectorOf('moon')], 20, readFilter(['page=2..', 'year=2021']));
    assert.deepEqual(new Set(pages[0]?.map(({ page }) => page)), new Set([2]));
    await store.consolidate();
  }
});

test('rows that the index of the labels does not cover yet are found by their labels too', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const keys: string[] = [];
  for (const key of ['a', 'b', 'c', 'd']) {
    keys.push(key);
    await store.append(rowsOf({ key, texts, labels: ['year=2020', `own=${key}`] }));
    await store.consolidate();
    const [all = []] = await textHits(store, ['moon'], 50, readFilter(['year=2020']));
    assert.deepEqual([...new Set(all.map(({ document }) => document))].toSorted(), keys);
    const [own = []] = await denseHits(store, [vectorOf('moon')], 50, readFilter([`own=${key}`]));
    assert.deepEqual([...new Set(own.map(({ document }) => document))], [key]);
  }
});
