import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import type { Rerank } from '../../../src/models/types.ts';
import { openRerankServer } from '../../../src/models/rerank-server.ts';
import { errorSchema, openaiErrorSchema } from '../../../src/serve/contract/route.ts';
import { rerankAnswer, rerankBody } from '../../../src/serve/routes/rerank.ts';
import { open, post } from '../open.ts';

/** The share of the passage that is the question's letter. */
const scoreOf = (query: string, passage: string): number =>
  passage === '' ? 0 : (passage.split(query).length - 1) / passage.length;

const letters: Rerank = ({ query, passages }) =>
  Promise.resolve(passages.map((passage) => scoreOf(query, passage)));
const reranker = { rerank: letters, model: 'letters' };
const documents = ['ab', 'bb', 'aa', 'ba'];

for (const path of ['/rerank', '/v1/rerank', '/v2/rerank'])
  test(`${path} gives the best first, equal ones in the order given, in the shape of Jina and Cohere`, async () => {
    await using endpoint = await open({ reranker });
    const answer = await post(`${endpoint.url}${path}`, { model: 'any', query: 'a', documents, top_n: 3 });
    const { results, model, object, usage } = rerankAnswer.strict().parse(await answer.json());
    assert.deepEqual(results, [
      { index: 2, relevance_score: 1 },
      { index: 0, relevance_score: 0.5 },
      { index: 3, relevance_score: 0.5 },
    ]);
    assert.deepEqual([model, object, usage], ['letters', 'list', { prompt_tokens: 4, total_tokens: 4 }]);
  });

test('documents may be objects, and are given back where that is wanted; without top_n all come', async () => {
  await using endpoint = await open({ reranker });
  const body = { query: 'a', documents: [{ text: 'b', title: 'B' }, { text: 'a' }], return_documents: true };
  const { results } = rerankAnswer.parse(await (await post(`${endpoint.url}/rerank`, body)).json());
  assert.deepEqual(results, [
    { index: 1, relevance_score: 1, document: { text: 'a' } },
    { index: 0, relevance_score: 0, document: { text: 'b' } },
  ]);
  const none = await post(`${endpoint.url}/rerank`, { query: 'a', documents: [], top_n: 9 });
  assert.deepEqual(rerankAnswer.parse(await none.json()).results, []);
});

test("another job's supervisor can use it as its RERANKER_URL", async () => {
  await using endpoint = await open({ reranker });
  await using server = openRerankServer({ url: endpoint.url, model: undefined, key: undefined });
  const { signal } = new AbortController();
  assert.deepEqual(await server.find(signal), { path: '/rerank', dialect: 'documents' });
  assert.deepEqual(await server.rerank({ query: 'a', passages: documents, signal }), [0.5, 0, 1, 0.5]);
});

test('a body that is none is refused by name, in the words of its route', async () => {
  await using endpoint = await open({ reranker });
  const wrong: [object | string, RegExp][] = [
    [{ documents }, /query/],
    [{ query: ' ', documents }, /query: Too small/],
    [{ query: 'a' }, /documents/],
    [{ query: 'a', documents: [{ image: 'x' }] }, /documents/],
    [{ query: 'a', documents: Array.from({ length: 1001 }, () => 'x') }, /at most 1000/],
    [{ query: 'a', documents, top_n: 0 }, /top_n/],
    ['[]', /the body/],
  ];
  for (const [body, what] of wrong) {
    const answer = await post(`${endpoint.url}/rerank`, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.ok(!rerankBody.safeParse(body).success);
    assert.match(errorSchema.strict().parse(await answer.json()).error.message, what);
  }
  const answer = await post(`${endpoint.url}/v1/rerank`, {});
  assert.match(
    openaiErrorSchema.strict().parse(await answer.json()).error.message,
    /^Cannot rerank: .*hint: Send/,
  );
  assert.equal((await fetch(`${endpoint.url}/rerank`, { method: 'POST', body: '{}' })).status, 415);
});

test('a job without a reranker says so; one whose reranker is being started again says when to ask', async () => {
  await using without = await open();
  const none = await post(`${without.url}/rerank`, { query: 'a', documents });
  assert.equal(none.status, 404);
  const { error } = errorSchema.parse(await none.json());
  assert.match(error.message, /this job has no reranker/);
  assert.match(error.hint ?? '', /RERANKER_MODEL_PATH=/);

  const down: Rerank = () =>
    Promise.reject(new RagError('model-unavailable', 'Cannot ask the Python child: none is ready'));
  await using restarting = await open({ reranker: { rerank: down, model: 'letters' } });
  const later = await post(`${restarting.url}/rerank`, { query: 'a', documents });
  assert.deepEqual([later.status, later.headers.get('retry-after')], [503, '10']);
  assert.equal(errorSchema.parse(await later.json()).error.code, 'model-unavailable');
});

test('a client that leaves is not ranked any further', async () => {
  const begun = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const slow: Rerank = ({ signal }) =>
    new Promise(() => {
      signal.addEventListener('abort', () => cancelled.resolve());
      begun.resolve();
    });
  await using endpoint = await open({ reranker: { rerank: slow, model: 'slow' } });
  const leaves = new AbortController();
  const body = { query: 'a', documents };
  const left = assert.rejects(post(`${endpoint.url}/rerank`, body, { signal: leaves.signal }));
  await begun.promise;
  leaves.abort();
  await left;
  await cancelled.promise;
});
