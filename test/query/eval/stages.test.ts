import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Embed, Rerank } from '../../../src/models/types.ts';
import {
  bestPassages,
  makeFindStages,
  type AskedQuestion,
  type StageParts,
} from '../../../src/query/eval/stages.ts';
import type { Store } from '../../../src/store/types.ts';
import { hit, storedHit, storeFinding, type StoredHit } from '../hits.ts';

const settings = { candidates: 2, rrfK: 60 };
const { signal } = new AbortController();
const embed: Embed = ({ texts }) => Promise.resolve(texts.map((text) => Float32Array.of(text.length)));

const ask = (text: string, ...golden: string[]): AskedQuestion => ({ text, golden });

const passage = (document: string, part: number): StoredHit =>
  storedHit(`${document}-${part}`, `part ${part} of ${document}`, { id: document, score: 1 / part });

/** Both searches give what they are asked for and no more. */
function storeOf(dense: readonly StoredHit[], lexical: readonly StoredHit[]): Store {
  const parts: Partial<Store> = storeFinding({
    dense: (_, k) => dense.slice(0, k),
    lexical: (_, k) => lexical.slice(0, k),
  });
  return parts as Store;
}

const dense = [passage('a', 1), passage('a', 2), passage('a', 3), passage('b', 4), passage('c', 5)];
const lexical = [passage('b', 1), passage('b', 2), passage('c', 3), passage('d', 4)];

test('a document is where its best passage is', () => {
  const hits = [
    hit('x-1', 't', { id: 'x', score: 3 }),
    hit('x-2', 't', { id: 'x', score: 2 }),
    hit('y-1', 't', { id: 'y' }),
  ];
  assert.deepEqual(bestPassages(hits, 9), [
    { document: 'x', score: 3 },
    { document: 'y', score: 1 },
  ]);
  assert.equal(bestPassages(hits, 1).length, 1);
});

test('the searches alone go deeper than the fusion, which sees what a query would see', async () => {
  const [found] = await makeFindStages({ store: storeOf(dense, lexical), embed, settings })(
    [ask('q', 'part 4 of d')],
    3,
    signal,
  );
  assert.ok(found !== undefined && found !== 'failed');
  const ids = (stage: 'dense' | 'lexical' | 'fused'): string[] | undefined =>
    found[stage]?.documents.map(({ document }) => document);
  assert.deepEqual(ids('dense'), ['a', 'b', 'c']);
  assert.deepEqual(ids('lexical'), ['b', 'c', 'd']);
  // The best three passages of each: a-1 a-2 a-3, b-1 b-2 c-3.
  assert.deepEqual(ids('fused'), ['a', 'b', 'c']);
  const places = [found.dense?.answerAt, found.lexical?.answerAt, found.fused?.answerAt];
  assert.deepEqual(places, [null, null, null], 'its fourth passage is too deep');
  assert.equal(found.reranked, undefined, 'a job without a reranker has no such stage');
});

test('a retriever that searches in one way has that stage and no fusion', async () => {
  const rerank: Rerank = ({ passages }) => Promise.resolve(passages.map((_, at) => at / 10));
  const stagesOf = async (parts: Pick<StageParts, 'embed' | 'settings'>): Promise<string[]> => {
    const [found] = await makeFindStages({ store: storeOf(dense, lexical), rerank, ...parts })(
      [ask('q')],
      3,
      signal,
    );
    return Object.keys(found ?? {});
  };
  assert.deepEqual(await stagesOf({ embed: undefined, settings }), ['lexical', 'reranked']);
  assert.deepEqual(await stagesOf({ embed, settings: { ...settings, lexical: false } }), [
    'dense',
    'reranked',
  ]);
});

test('the reranker orders all fused candidates, and one that fails is told', async () => {
  const asked: string[] = [];
  const rerank: Rerank = ({ query, passages }) => {
    if (query === 'bad') return Promise.reject(new Error('gone'));
    asked.push(...passages);
    return Promise.resolve(passages.map((text) => (text.includes('part 3 of c') ? 0.9 : 0.1)));
  };
  const stages = makeFindStages({ store: storeOf(dense, lexical), embed, rerank, settings });
  const [good, bad] = await stages([ask('good', 'PART 3 of c!'), ask('bad')], 3, signal);
  assert.ok(good !== undefined && good !== 'failed');
  assert.equal(asked.length, 6);
  assert.deepEqual(good.reranked?.documents[0], { document: 'c', score: 0.9 });
  assert.deepEqual([good.lexical?.answerAt, good.reranked?.answerAt], [3, 1]);
  assert.equal(bad, 'failed');
});
