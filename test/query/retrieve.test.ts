import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { Embed, Rerank } from '../../src/models/types.ts';
import { makeRetrieve } from '../../src/query/retrieve.ts';
import type { Store, StoredHit } from '../../src/store/types.ts';
import { storedHit } from './hits.ts';

const settings = { candidates: 10, rrfK: 60 };
const { signal } = new AbortController();
const near = storedHit('near', 'close in meaning');
const word = storedHit('word', 'shares a word');

interface Index {
  readonly dense?: (vector: Float32Array) => StoredHit[];
  readonly lexical?: (text: string) => StoredHit[];
}

function storeOf({ dense = () => [near], lexical = () => [word] }: Index): Store {
  const parts: Partial<Store> = {
    searchDense: (vectors) => Promise.resolve(vectors.map(dense)),
    searchText: (texts) => Promise.resolve(texts.map(lexical)),
  };
  return parts as Store;
}

const embed: Embed = ({ texts }) => Promise.resolve(texts.map((text) => Float32Array.of(text.length)));
const chunks = (lists: readonly (readonly { chunk: string }[])[]): string[][] =>
  lists.map((list) => list.map(({ chunk }) => chunk));

test('retrieve() fuses the dense and the lexical ranking and cuts to topk', async () => {
  const lexical = (): StoredHit[] => [word, near];
  const retrieve = makeRetrieve({ store: storeOf({ lexical }), embed, settings });
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
  const retrieve = makeRetrieve({ store: storeOf({ dense: () => [], lexical }), embed: counting, settings });
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
  const retrieve = makeRetrieve({ store: storeOf({ dense: () => [near, copy] }), embed, settings });
  assert.deepEqual(chunks(await retrieve({ queries: ['q'], topk: 9, signal })), [['near', 'word']]);
});

test('retrieve() finds nothing for a blank query and never embeds it', async () => {
  const strict: Embed = (request) => {
    assert.deepEqual(request.texts, ['q']);
    return embed(request);
  };
  const retrieve = makeRetrieve({ store: storeOf({}), embed: strict, settings });
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
  const retrieve = makeRetrieve({ store: storeOf({}), embed: refusing, settings });
  const lists = await retrieve({ queries: ['a', 'too long', 'b'], topk: 9, signal });
  assert.deepEqual(chunks(lists), [['near', 'word'], ['word'], ['near', 'word']]);
});

test('retrieve() passes on an error that is not about one text', async () => {
  const broken: Embed = () => Promise.reject(new RagError('model-unavailable', 'Cannot embed'));
  const retrieve = makeRetrieve({ store: storeOf({}), embed: broken, settings });
  await assert.rejects(retrieve({ queries: ['a'], topk: 9, signal }), { code: 'model-unavailable' });
});

test('retrieve() reranks only when asked, and only as many candidates as asked', async () => {
  const asked: number[] = [];
  const rerank: Rerank = ({ passages }) => {
    asked.push(passages.length);
    return Promise.resolve(passages.map((passage) => (passage.includes('shares') ? 0.9 : 0.1)));
  };
  const retrieve = makeRetrieve({ store: storeOf({}), embed, rerank, settings });
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
    const retrieve = makeRetrieve({ store: storeOf({}), embed, rerank, settings });
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
  const retrieve = makeRetrieve({ store: storeOf({}), embed, rerank, settings });
  await assert.rejects(retrieve({ queries: ['q'], topk: 2, rerank: true, signal: controller.signal }), {
    name: 'AbortError',
  });
});
