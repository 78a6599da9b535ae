import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import type { Hit, RetrieveRequest } from '../../../src/work.ts';
import type { EndpointEvent } from '../../../src/serve/serve.ts';
import { ask, hit, open, post } from '../open.ts';

interface Result {
  readonly result: {
    readonly document: { readonly id: string; readonly contents: string };
    readonly score: number;
  }[][];
}

const noQuery = (): Promise<never> => Promise.reject(new Error('not asked for'));

/** Answers with one hit named after the query, and remembers what it was asked. */
function recording(): {
  asked: Omit<RetrieveRequest, 'signal'>[];
  retrieve: (request: RetrieveRequest) => Promise<Hit[][]>;
} {
  const asked: Omit<RetrieveRequest, 'signal'>[] = [];
  return {
    asked,
    retrieve: ({ signal: _signal, ...request }) => {
      asked.push(request);
      return Promise.resolve(request.queries.map((query) => [hit(query)]));
    },
  };
}

/** What Search-R1's client makes of one list of hits: it trusts `document.contents` and nothing else. */
function passagesToString(hits: Result['result'][number]): string {
  return hits
    .map(({ document }, i) => {
      const [title, ...text] = document.contents.split('\n');
      return `Doc ${i + 1}(Title: ${title}) ${text.join('\n')}\n`;
    })
    .join('');
}

test("Search-R1's client reads our answer as its own server's", async () => {
  await using endpoint = await open();
  const answer = await post(`${endpoint.url}/retrieve`, {
    queries: ['a', 'b'],
    topk: 2,
    return_scores: true,
  });
  const { result } = (await answer.json()) as Result;
  assert.deepEqual(result.map(passagesToString), [
    'Doc 1(Title: "Title of a") Text of a\nin two lines\nDoc 2(Title: "Title of other") Text of other\nin two lines\n',
    'Doc 1(Title: "Title of b") Text of b\nin two lines\nDoc 2(Title: "Title of other") Text of other\nin two lines\n',
  ]);
  assert.equal(result[0]?.[0]?.document.id, 'a.pdf');
  assert.equal(result[0]?.[0]?.score, 0.5);
});

test('many queries are answered in their order, whole, and with their length', async () => {
  const { retrieve } = recording();
  await using endpoint = await open({ work: { retrieve, query: noQuery } });
  const queries = Array.from({ length: 200 }, (_, at) => `q${at}`);
  const answer = await post(`${endpoint.url}/retrieve`, { queries, topk: 1, return_scores: true });
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.headers.get('content-length'), String(bytes.length));
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  const { result } = JSON.parse(bytes.toString()) as Result;
  assert.deepEqual(
    result.map(([only]) => only?.document.id),
    queries.map((query) => `${query}.pdf`),
  );
});

test('no queries give an empty result and ask nobody', async () => {
  const { asked, retrieve } = recording();
  await using endpoint = await open({ work: { retrieve, query: noQuery } });
  const answer = await post(`${endpoint.url}/retrieve`, { queries: [], topk: 3, return_scores: true });
  assert.deepEqual([answer.status, await answer.json()], [200, { result: [] }]);
  assert.deepEqual(asked, []);
});

const bodies: [unknown, Omit<RetrieveRequest, 'signal'>][] = [
  [{ queries: ['q'] }, { queries: ['q'], topk: 3, rerank: false }],
  [
    { queries: 'q', topk: null },
    { queries: ['q'], topk: 3, rerank: false },
  ],
  [
    { queries: ['q'], topk: 0, more: 1 },
    { queries: ['q'], topk: 3, rerank: false },
  ],
  [
    { queries: ['q'], topk: '7' },
    { queries: ['q'], topk: 7, rerank: false },
  ],
  [
    { query: 'q', top_n: 2, return_score: true },
    { queries: ['q'], topk: 2, rerank: false },
  ],
  [
    { question: 'q', k: 4 },
    { queries: ['q'], topk: 4, rerank: false },
  ],
  [
    { query: ['q', 'r'], num: 2 },
    { queries: ['q', 'r'], topk: 2, rerank: false },
  ],
  [
    { queries: ['q'], topk: 9, topk_retrieval: 10, topk_rerank: 4 },
    { queries: ['q'], topk: 4, rerank: true, candidates: 10 },
  ],
];
for (const [body, request] of bodies)
  test(`/retrieve takes ${JSON.stringify(body)}`, async () => {
    const { asked, retrieve } = recording();
    await using endpoint = await open({ work: { retrieve, query: noQuery } });
    assert.equal((await post(`${endpoint.url}/retrieve`, body)).status, 200);
    assert.deepEqual(asked, [request]);
  });

test('/search and /batch_search are /retrieve', async () => {
  await using endpoint = await open();
  for (const path of ['/search', '/batch_search']) {
    const { result } = (await (
      await post(`${endpoint.url}${path}`, { query: 'a', top_n: 1 })
    ).json()) as Result;
    assert.equal(result[0]?.[0]?.document.id, 'a.pdf');
  }
});

test('only return_scores false leaves the scores out and gives the bare documents', async () => {
  await using endpoint = await open();
  const first = async (body: object): Promise<object | undefined> =>
    (
      (await (await post(`${endpoint.url}/retrieve`, { queries: ['a'], topk: 1, ...body })).json()) as {
        result: object[][];
      }
    ).result[0]?.[0];
  assert.deepEqual(Object.keys((await first({})) ?? {}), ['document', 'score']);
  const bare = (await first({ return_scores: false })) as { id: string; contents: string };
  assert.deepEqual([bare.id, bare.contents], ['a.pdf', '"Title of a"\nText of a\nin two lines']);
});

const wrong: [string, (string | number)[]][] = [
  ['{"queries":[1]}', ['body', 'queries', 0]],
  ['{"topk":3}', ['body', 'queries']],
  ['{"queries":["q"],"topk":"many"}', ['body', 'topk']],
  ['{"queries":["q"],"topk":-1}', ['body', 'topk']],
  ['["q"]', ['body']],
  ['{"queries":', ['body']],
];
for (const [body, loc] of wrong)
  test(`/retrieve answers ${body} with 422 and where it is wrong`, async () => {
    await using endpoint = await open();
    const answer = await post(`${endpoint.url}/retrieve`, body);
    assert.equal(answer.status, 422);
    const { detail } = (await answer.json()) as {
      detail: { loc: (string | number)[]; msg: string; type: string }[];
    };
    assert.deepEqual(detail[0]?.loc, loc);
    assert.ok(detail[0].msg);
  });

test('thousands of long queries in one request are answered in order', async () => {
  await using endpoint = await open();
  const queries = Array.from({ length: 5000 }, (_, i) => `${i} ${'long '.repeat(200)}`);
  const answer = await post(`${endpoint.url}/retrieve`, { queries, topk: 1, return_scores: true });
  assert.equal(answer.status, 200);
  const { result } = (await answer.json()) as Result;
  assert.deepEqual(
    result.map((hits) => hits[0]?.document.id),
    queries.map((query) => `${query}.pdf`),
  );
});

test('/retrieve waits through a restart of the embedder instead of answering anything else', async () => {
  let calls = 0;
  const waits: unknown[] = [];
  const retrieve = ({ queries }: RetrieveRequest): Promise<Hit[][]> => {
    calls += 1;
    if (calls < 3) return Promise.reject(new RagError('model-unavailable', 'Cannot embed'));
    return Promise.resolve(queries.map((query) => [hit(query)]));
  };
  await using endpoint = await open({
    work: { retrieve, query: noQuery },
    onEvent: ({ kind }) => waits.push(kind),
  });
  const answer = await post(`${endpoint.url}/retrieve`, { queries: ['a'] });
  assert.equal(answer.status, 200);
  assert.deepEqual(waits, ['waiting', 'waiting']);
});

test('a job that ends cuts /retrieve off instead of answering in another shape', async () => {
  const asked = Promise.withResolvers<void>();
  const endpoint = await open({
    work: { retrieve: () => Promise.reject(new RagError('aborted', 'Cannot go on')), query: noQuery },
    onEvent: () => asked.resolve(),
  });
  const cut = assert.rejects(post(`${endpoint.url}/retrieve`, { queries: ['a'] }), TypeError);
  await asked.promise;
  await endpoint[Symbol.asyncDispose]();
  await cut;
});

test('an error that waiting cannot cure is a 500 that says so', async () => {
  const retrieve = (): Promise<never> =>
    Promise.reject(new RagError('index-damaged', 'Cannot read the index'));
  const events: EndpointEvent['kind'][] = [];
  await using endpoint = await open({
    work: { retrieve, query: noQuery },
    onEvent: ({ kind }) => events.push(kind),
  });
  const answer = await post(`${endpoint.url}/retrieve`, { queries: ['a'] });
  assert.equal(answer.status, 500);
  assert.deepEqual(events, ['failed']);
  assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'index-damaged');
});

test('a client that leaves ends the work it asked for, and that is no failure', async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const events: unknown[] = [];
  const retrieve = ({ signal }: RetrieveRequest): Promise<never> => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
        ended.resolve();
      });
    });
  };
  await using endpoint = await open({
    work: { retrieve, query: noQuery },
    onEvent: (event) => events.push(event),
  });
  const client = new AbortController();
  const left = assert.rejects(
    post(`${endpoint.url}/retrieve`, { queries: ['a'] }, { signal: client.signal }),
  );
  await begun.promise;
  client.abort();
  await left;
  await ended.promise;
  assert.equal((await fetch(`${endpoint.url}/healthz`)).status, 200);
  assert.deepEqual(events, []);
});

test('/retrieve speaks the same contract on the Unix socket', async () => {
  await using endpoint = await open();
  const headers = { 'content-type': 'application/json' };
  const body = '{"queries":["a"],"topk":1,"return_scores":true}';
  const answer = await ask(
    { socketPath: endpoint.socketPath, method: 'POST', path: '/retrieve', headers },
    body,
  );
  assert.equal((JSON.parse(answer.text) as Result).result[0]?.[0]?.document.id, 'a.pdf');
});

test('a filter is handed on, as an object or as a command line has it, and a bad one is told as the contract tells it', async () => {
  const { asked, retrieve } = recording();
  await using endpoint = await open({ work: { retrieve, query: noQuery } });
  const url = `${endpoint.url}/retrieve`;
  await post(url, { queries: ['a'], topk: 1, filter: { year: [2020, 2021] } });
  await post(url, { queries: ['a'], topk: 1, filter: ['document=reports/**', 'page=3..9'] });
  assert.deepEqual(
    asked.map(({ filter }) => filter),
    [
      [{ field: 'label', labels: ['year=2020', 'year=2021'] }],
      [
        { field: 'document', globs: ['reports/**'] },
        { field: 'page', ranges: [[3, 9]] },
      ],
    ],
  );
  const refused = await post(url, { queries: ['a'], filter: 'page=x' });
  assert.equal(refused.status, 422);
  const { detail } = (await refused.json()) as { detail: { loc: string[]; msg: string }[] };
  assert.deepEqual(detail[0]?.loc, ['body', 'filter']);
  assert.match(detail[0]?.msg ?? '', /Cannot filter by "page=x"/);
});
