import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RagError } from '../../src/errors.ts';
import type { Embed, Rerank } from '../../src/models/types.ts';
import { makeRetrievalCache, type RetrievalCache } from '../../src/query/cache.ts';
import { makeRetrieve, type Retrieve, type RetrieveParts } from '../../src/query/retrieve.ts';
import type { Store } from '../../src/store/types.ts';
import { storedHit, storeFinding, type StoredHit } from './hits.ts';

const settings = { candidates: 10, rrfK: 60 };
const { signal } = new AbortController();
const near = storedHit('near', 'close in meaning');
const word = storedHit('word', 'shares a word');

interface Index {
  readonly dense?: (vector: Float32Array) => StoredHit[];
  readonly lexical?: (text: string) => StoredHit[];
  readonly version?: () => string;
}

function storeOf({ dense = () => [near], lexical = () => [word], version = () => '1' }: Index): Store {
  const parts: Partial<Store> = {
    ...storeFinding({ dense, lexical }),
    version: () => Promise.resolve(version()),
  };
  return parts as Store;
}

const embed: Embed = ({ texts }) => Promise.resolve(texts.map((text) => Float32Array.of(text.length)));
const cacheOf = (bytes = 1e6): RetrievalCache => makeRetrievalCache(bytes);
const retrieverOf = (parts: Omit<RetrieveParts, 'settings' | 'cache'>, cache = cacheOf()): Retrieve =>
  makeRetrieve({ ...parts, settings, cache });
const chunks = (lists: readonly (readonly { chunk: string }[])[]): string[][] =>
  lists.map((list) => list.map(({ chunk }) => chunk));

test('retrieve() fuses the dense and the lexical ranking and cuts to topk', async () => {
  const lexical = (): StoredHit[] => [word, near];
  const retrieve = retrieverOf({ store: storeOf({ lexical }), embed });
  const [hits = []] = await retrieve({ queries: ['q'], topk: 1, signal });
  assert.deepEqual(chunks([hits]), [['near']]);
  assert.equal(hits[0]?.stage, 'fused');
  assert.equal(hits[0].score, 1 / 61 + 1 / 62);
});

test('retrieve() answers in the order of the queries and computes equal queries once', async () => {
  const seen: string[] = [];
  const counting: Embed = (request) => {
    assert.equal(request.kind, 'query');
    seen.push(...request.texts);
    return embed(request);
  };
  const lexical = (text: string): StoredHit[] => [storedHit(text, text)];
  const retrieve = retrieverOf({ store: storeOf({ dense: () => [], lexical }), embed: counting });
  const queries = Array.from({ length: 400 }, (_, i) => `query ${i % 130}`);
  const lists = await retrieve({ queries, topk: 3, signal });
  assert.deepEqual(
    chunks(lists),
    queries.map((query) => [query]),
  );
  assert.equal(seen.length, 130);
});

test('retrieve() collapses equal texts into the better one', async () => {
  const copy = storedHit('copy', near.text);
  const retrieve = retrieverOf({ store: storeOf({ dense: () => [near, copy] }), embed });
  assert.deepEqual(chunks(await retrieve({ queries: ['q'], topk: 9, signal })), [['near', 'word']]);
});

test('retrieve() finds nothing for a blank query and never embeds it', async () => {
  const strict: Embed = (request) => {
    assert.deepEqual(request.texts, ['q']);
    return embed(request);
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed: strict });
  assert.deepEqual(chunks(await retrieve({ queries: ['', 'q', ' \n'], topk: 9, signal })), [
    [],
    ['near', 'word'],
    [],
  ]);
});

test('retrieve() searches a query that the embedder cannot take by its words alone', async () => {
  const refusing: Embed = (request) => {
    const index = request.texts.indexOf('too long');
    if (index < 0) return embed(request);
    return Promise.reject(Object.assign(new RagError('too-long', 'Cannot embed'), { index }));
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed: refusing });
  const lists = await retrieve({ queries: ['a', 'too long', 'b'], topk: 9, signal });
  assert.deepEqual(chunks(lists), [['near', 'word'], ['word'], ['near', 'word']]);
});

test('retrieve() passes on an error that is not about one text', async () => {
  const broken: Embed = () => Promise.reject(new RagError('model-unavailable', 'Cannot embed'));
  const retrieve = retrieverOf({ store: storeOf({}), embed: broken });
  await assert.rejects(retrieve({ queries: ['a'], topk: 9, signal }), { code: 'model-unavailable' });
});

test('retrieve() reranks only when asked, and only as many candidates as asked', async () => {
  const asked: number[] = [];
  const rerank: Rerank = ({ passages }) => {
    asked.push(passages.length);
    return Promise.resolve(passages.map((passage) => (passage.includes('shares') ? 0.9 : 0.1)));
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed, rerank });
  assert.deepEqual(chunks(await retrieve({ queries: ['q'], topk: 2, signal })), [['near', 'word']]);
  assert.deepEqual(chunks(await retrieve({ queries: ['q'], topk: 2, rerank: true, signal })), [
    ['word', 'near'],
  ]);
  await retrieve({ queries: ['q'], topk: 1, rerank: true, candidates: 1, signal });
  assert.deepEqual(asked, [2, 1]);
});

for (const [fault, rerank] of Object.entries<Rerank>({
  throws: () => Promise.reject(new RagError('model-unavailable', 'Cannot rerank')),
  'gives too few scores': () => Promise.resolve([1]),
  'gives NaN': ({ passages }) => Promise.resolve(passages.map(() => NaN)),
}))
  test(`retrieve() keeps the fused order when the reranker ${fault}`, async () => {
    const retrieve = retrieverOf({ store: storeOf({}), embed, rerank });
    const [hits = []] = await retrieve({ queries: ['q'], topk: 2, rerank: true, signal });
    assert.deepEqual(
      hits.map(({ chunk, stage }) => [chunk, stage]),
      [
        ['near', 'fused'],
        ['word', 'fused'],
      ],
    );
  });

test('retrieve() of an aborted request throws, also when the reranker fails because of it', async () => {
  const controller = new AbortController();
  const rerank: Rerank = () => {
    controller.abort();
    return Promise.reject(new Error('cut off'));
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed, rerank });
  await assert.rejects(retrieve({ queries: ['q'], topk: 2, rerank: true, signal: controller.signal }), {
    name: 'AbortError',
  });
});

/** An embedder that remembers what it was asked. */
function recording(): { readonly texts: string[]; readonly embed: Embed } {
  const texts: string[] = [];
  return { texts, embed: (request) => (texts.push(...request.texts), embed(request)) };
}

test('retrieve() computes a query of an earlier request no more, and says how many', async () => {
  const asked = recording();
  const cache = cacheOf();
  const retrieve = retrieverOf({ store: storeOf({}), embed: asked.embed }, cache);
  const first = await retrieve({ queries: ['a', 'b', 'a'], topk: 2, signal });
  assert.deepEqual(await retrieve({ queries: ['b', 'a', 'c'], topk: 2, signal }), [
    first[1],
    first[0],
    first[0],
  ]);
  assert.deepEqual(asked.texts, ['a', 'b', 'c']);
  const { queries, computed, cached, hit_rate, cache_entries } = cache.figures();
  assert.deepEqual([queries, computed, cached, hit_rate, cache_entries], [6, 3, 2, 0.4, 3]);
});

test('retrieve() keeps apart what differs in depth and in reranking', async () => {
  const rerank: Rerank = ({ passages }) => Promise.resolve(passages.map((_, i) => i));
  const retrieve = retrieverOf({ store: storeOf({}), embed, rerank });
  const found: string[][] = [];
  for (const more of [
    { topk: 2 },
    { topk: 1 },
    { topk: 1, rerank: true },
    { topk: 1, rerank: true, candidates: 1 },
  ])
    found.push(...chunks(await retrieve({ queries: ['q'], ...more, signal })));
  assert.deepEqual(found, [['near', 'word'], ['near'], ['word'], ['near']]);
});

test('retrieve() forgets what it found when the index changes', async () => {
  let version = '1';
  const asked = recording();
  const retrieve = retrieverOf({ store: storeOf({ version: () => version }), embed: asked.embed });
  const again = (): Promise<unknown> => retrieve({ queries: ['q'], topk: 1, signal });
  await again();
  version = '2';
  await again();
  await again();
  assert.deepEqual(asked.texts, ['q', 'q']);
});

test('what was found while the index changed is not taken for the new one', async () => {
  let version = '1';
  let dense = [near];
  const slow: Embed = (request) => {
    version = '2'; // after it was read, before the search is over
    return embed(request);
  };
  const retrieve = retrieverOf({
    store: storeOf({ version: () => version, dense: () => dense }),
    embed: slow,
  });
  await retrieve({ queries: ['q'], topk: 1, signal });
  dense = [storedHit('new', 'came just now')];
  assert.deepEqual(chunks(await retrieve({ queries: ['q'], topk: 1, signal })), [['new']]);
});

test('retrieve() does not remember what a failed stage left incomplete', async () => {
  let failing = true;
  const rerank: Rerank = ({ passages }) =>
    failing ? Promise.reject(new Error('down')) : Promise.resolve(passages.map((_, i) => i));
  const refusing: Embed = (request) =>
    failing ? Promise.reject(Object.assign(new RagError('bad-vector', 'NaN'), { index: 0 })) : embed(request);
  const reranking = retrieverOf({ store: storeOf({}), embed, rerank });
  const embedding = retrieverOf({ store: storeOf({}), embed: refusing });
  const both = async (): Promise<string[][]> =>
    chunks([
      ...(await reranking({ queries: ['q'], topk: 1, rerank: true, signal })),
      ...(await embedding({ queries: ['q'], topk: 1, signal })),
    ]);
  assert.deepEqual(await both(), [['near'], ['word']]);
  failing = false;
  assert.deepEqual(await both(), [['word'], ['near']]);
});

test('retrieve() of thousands lets others in between, and never runs more than eight groups', async () => {
  let running = 0;
  let most = 0;
  const order: string[] = [];
  const slow: Embed = async (request) => {
    most = Math.max(most, ++running);
    await setImmediate();
    running -= 1;
    order.push(request.texts[0] ?? '');
    return embed(request);
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed: slow }, cacheOf(1e9));
  const many = (name: string): string[] => Array.from({ length: 4096 }, (_, i) => `${name} ${i}`);
  const all = Array.from({ length: 12 }, (_, i) => retrieve({ queries: many(`${i}`), topk: 1, signal }));
  await retrieve({ queries: ['single'], topk: 1, signal });
  const before = order.indexOf('single');
  await Promise.all(all);
  assert.equal(most, 8);
  assert.ok(before < 60, `${before} groups of ${order.length} came first`);
});

test('retrieve() has several groups of one request under way, and an error ends them all', async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  const held: Embed = ({ texts: [first = ''], signal: own }) => {
    begun.push(first);
    if (begun.length === 3) return Promise.reject(new RagError('model-unavailable', 'Cannot embed'));
    return new Promise((_resolve, reject) => {
      own.addEventListener('abort', () => {
        ended.push(first);
        reject(own.reason as Error);
      });
    });
  };
  const retrieve = retrieverOf({ store: storeOf({}), embed: held });
  const queries = Array.from({ length: 640 }, (_, i) => `${i}`);
  await assert.rejects(retrieve({ queries, topk: 1, signal }), { code: 'model-unavailable' });
  assert.deepEqual(begun, ['0', '64', '128', '192']);
  assert.deepEqual(ended, ['0', '64', '192']);
});

test('retrieve() keeps what was found under one filter apart from what is found under another', async () => {
  const seen: unknown[] = [];
  const searched = storeOf({});
  const store: Store = {
    ...searched,
    searchText: (texts, k, filter) => {
      seen.push(filter);
      return searched.searchText(texts, k, filter);
    },
  };
  const retrieve = retrieverOf({ store, embed });
  const year = [{ field: 'label', labels: ['year=2020'] }] as const;
  for (const filter of [year, undefined, year, []])
    await retrieve({ queries: ['q'], topk: 1, signal, ...(filter && { filter }) });
  assert.deepEqual(seen, [year, undefined], 'no condition is no filter');
});
