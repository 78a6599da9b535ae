import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import type { AnswerRecord, QueryRequest } from '../../../src/work.ts';
import { hit, open, post } from '../open.ts';

const record = (query: string): AnswerRecord => ({
  query,
  answer: 'It is so [1].',
  citations: [
    {
      n: 1,
      document: 'a.pdf',
      title: 'A',
      file: 'a.pdf',
      page: 1,
      start: 0,
      end: 4,
      score: 0.5,
      text: 'It is so.',
    },
  ],
  sentences: [{ text: 'It is so [1].', cites: [1], support: 'quoted' }],
  citations_dropped: 0,
  retrieved: 2,
  reranked: true,
  model: 'parrot',
  timings_ms: { retrieve: 1, rerank: 1, generate: 1, total: 3 },
});

const answering = (query: (request: QueryRequest) => Promise<AnswerRecord>): Parameters<typeof open>[0] => ({
  work: { query, retrieve: () => Promise.reject(new Error('not asked for')) },
});

/** As LightRAG tells it, passages first. */
const speak = async (request: QueryRequest): Promise<AnswerRecord> => {
  request.onPassages?.([hit('a'), hit('b')]);
  request.onText?.('It is ');
  request.onText?.('so [1].');
  return record(request.query);
};

const linesOf = async (answer: Response): Promise<unknown[]> =>
  (await answer.text()).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));

test("/query answers with the record and LightRAG's response and references beside it", async () => {
  const asked: number[] = [];
  await using endpoint = await open(
    answering((request) => {
      asked.push(request.topk);
      return speak(request);
    }),
  );
  const answer = await post(`${endpoint.url}/query`, {
    query: 'Is it so?',
    mode: 'mix',
    stream: false,
    top_k: 60,
    chunk_top_k: 7,
  });
  assert.deepEqual(await answer.json(), {
    ...record('Is it so?'),
    response: 'It is so [1].',
    references: [{ reference_id: '1', file_path: 'a.pdf' }],
  });
  await post(`${endpoint.url}/query`, { query: 'q' });
  assert.deepEqual(asked, [7, 3]);
});

test('/query without references leaves them out', async () => {
  await using endpoint = await open(answering(speak));
  const answer = await post(`${endpoint.url}/query`, { query: 'q', include_references: false });
  assert.equal('references' in ((await answer.json()) as object), false);
});

test('/query/stream sends lines of JSON: references first, then the answer piece by piece, then the record', async () => {
  await using endpoint = await open(answering(speak));
  const answer = await post(`${endpoint.url}/query/stream`, { query: 'q' });
  assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
  const references = ['a', 'b'].map((name, i) => ({ reference_id: String(i + 1), file_path: `${name}.pdf` }));
  assert.deepEqual(await linesOf(answer), [
    { references },
    { response: 'It is ' },
    { response: 'so [1].' },
    { record: record('q') },
  ]);
});

test('/query/stream sends a piece as soon as it is there', async () => {
  const heard = Promise.withResolvers<void>();
  await using endpoint = await open(
    answering(async (request) => {
      request.onText?.('first');
      await heard.promise;
      return record(request.query);
    }),
  );
  const answer = await post(`${endpoint.url}/query/stream`, { query: 'q' });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
  assert.equal((await reader.read()).value, '{"response":"first"}\n');
  heard.resolve();
  assert.match((await reader.read()).value ?? '', /^\{"record"/);
});

test('/query/stream that fails has a status before the first line, and is a line after it', async () => {
  const failing = (spoken: boolean): ReturnType<typeof answering> =>
    answering((request) => {
      if (spoken) request.onText?.('It ');
      return Promise.reject(new RagError('model-unavailable', 'Cannot generate'));
    });
  {
    await using endpoint = await open(failing(false));
    const answer = await post(`${endpoint.url}/query/stream`, { query: 'q' });
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), {
      error: { code: 'model-unavailable', message: 'Cannot generate', hint: null },
    });
  }
  await using endpoint = await open(failing(true));
  const answer = await post(`${endpoint.url}/query/stream`, { query: 'q' });
  assert.deepEqual(
    [answer.status, (await linesOf(answer)).at(-1)],
    [200, { error: { code: 'model-unavailable', message: 'Cannot generate', hint: null } }],
  );
});

test('a client that leaves in the middle of a stream ends the answer, and makes room for the next question', async () => {
  const ended = Promise.withResolvers<void>();
  await using endpoint = await open({
    ...answering(async (request) => {
      if (request.query === 'next') return speak(request);
      request.onText?.('It ');
      await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      request.onText?.('is lost');
      ended.resolve();
      throw request.signal.reason;
    }),
    maxQuestions: 1,
  });
  const client = new AbortController();
  const answer = await post(`${endpoint.url}/query/stream`, { query: 'q' }, { signal: client.signal });
  assert.equal((await post(`${endpoint.url}/query`, { query: 'next' })).status, 429);
  client.abort();
  await assert.rejects(answer.text());
  await ended.promise;
  assert.equal((await post(`${endpoint.url}/query`, { query: 'next' })).status, 200);
});

test('while generation is postponed it is said at once when to ask again, and retrieval goes on', async () => {
  let isPostponed = true;
  const why = { message: 'Cannot generate yet: everything is ingested first', hint: 'status', seconds: 40 };
  await using endpoint = await open({
    work: {
      query: (request) => Promise.resolve(record(request.query)),
      retrieve: () => Promise.resolve([[]]),
    },
    postponed: () => (isPostponed ? why : undefined),
  });
  for (const path of ['/query', '/query/stream']) {
    const refused = await post(`${endpoint.url}${path}`, { query: 'why?' });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '40'], path);
    assert.deepEqual(await refused.json(), {
      error: { code: 'model-unavailable', message: why.message, hint: 'status' },
    });
  }
  assert.equal((await post(`${endpoint.url}/retrieve`, { queries: ['why?'] })).status, 200);
  isPostponed = false;
  assert.equal((await post(`${endpoint.url}/query`, { query: 'why?' })).status, 200);
});
