import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { json } from 'node:stream/consumers';
import { openRerankServer, type RerankServerOptions } from '../../src/models/rerank-server.ts';
import { sigmoid } from '../../src/models/rerank-answers.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const { signal } = new AbortController();

interface Asked {
  readonly path: string;
  readonly key: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

type Answer = (asked: Asked, nth: number) => { status?: number; body: unknown } | 'silence';

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
}

async function openServer(answer: Answer): Promise<Server> {
  const asked: Asked[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await json(request)) as Asked['body'];
    asked.push({ path: request.url ?? '', key: request.headers.authorization, body });
    const reply = answer(asked.at(-1)!, asked.length);
    if (reply === 'silence') return;
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.body));
  };
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const open = (server: Server, more: Partial<RerankServerOptions> = {}) =>
  openRerankServer({ url: server.url, model: undefined, key: undefined, firstPauseMs: 1, ...more });

/** A score for each passage: the number that it is. */
const scored = (texts: unknown, key: 'score' | 'relevance_score'): object[] =>
  (texts as string[])
    .map((text, index) => ({ index, [key]: Number.isNaN(Number(text)) ? 0.5 : Number(text) }))
    .toReversed();

const unknownPath = { status: 404, body: { error: 'not found' } };

const tei: Answer = ({ path, body }) => {
  if (path !== '/rerank') return unknownPath;
  if (!Array.isArray(body['texts'])) return { status: 422, body: { error: 'missing field texts' } };
  if (body['texts'].length > 32) return { status: 413, body: { error: 'batch size > 32' } };
  return { body: scored(body['texts'], 'score') };
};
const vllm: Answer = ({ path, body }) => {
  if (path === '/score') return { body: { data: scored(body['text_2'], 'score') } };
  if (!/^(\/v1)?\/rerank$/u.test(path)) return unknownPath;
  return { body: { results: scored(body['documents'], 'relevance_score') } };
};
/** As a service on the internet: one path, a key, a name. */
const cohere: Answer = ({ path, key, body }) => {
  if (path !== '/v1/rerank') return unknownPath;
  if (key !== 'Bearer secret') return { status: 401, body: { message: 'invalid key' } };
  if (body['model'] !== 'rerank-3') return { status: 400, body: { message: 'model is required' } };
  return { body: { results: scored(body['documents'], 'relevance_score') } };
};

const hundred = Array.from({ length: 100 }, (_, at) => String(((at * 7) % 100) / 100));

for (const [what, answer, path, dialect, requests] of [
  ['TEI, 32 passages at a time', tei, '', 'texts', 4],
  ['vLLM', vllm, '', 'documents', 1],
  ['a rerank route that is named', vllm, '/v1/rerank', 'documents', 1],
  ['a base path', vllm, '/v1/', 'documents', 1],
  ["vLLM's score route", vllm, '/score', 'pairs', 1],
] as const) {
  test(`rerank() understands ${what}`, async () => {
    await using server = await openServer(answer);
    await using reranker = open(server, { url: `${server.url}${path}` });
    assert.equal((await reranker.find(signal)).dialect, dialect);
    const before = server.asked.length;
    const scores = await reranker.rerank({ query: 'q', passages: hundred, signal });
    assert.deepEqual(scores, hundred.map(Number));
    assert.equal(server.asked.length - before, requests);
  });
}

test('rerank() brings the key and the name that a service wants', async () => {
  await using server = await openServer(cohere);
  const options = { key: 'secret', model: 'rerank-3' };
  await using reranker = open(server, options);
  assert.deepEqual(await reranker.rerank({ query: 'q', passages: ['0.3', '0.1'], signal }), [0.3, 0.1]);
});

test('find() says what is wanted where a key is, and asks no more', async () => {
  await using server = await openServer(cohere);
  await using reranker = open(server, { url: `${server.url}/v1/rerank`, key: 'wrong' });
  await assert.rejects(reranker.find(signal), { code: 'preflight', hint: /RERANKER_KEY_FILE/ });
  assert.equal(server.asked.length, 1);
});

test('find() says what each question was answered with when a server understands none', async () => {
  await using server = await openServer(() => ({ body: { hello: 'world' } }));
  await using reranker = open(server);
  await assert.rejects(reranker.find(signal), { code: 'preflight', message: /holds no list of results/ });
});

test('logits become numbers from 0 to 1 for the whole list, and for all lists of a server that gave some', async () => {
  await using server = await openServer(vllm);
  await using reranker = open(server);
  const some = Array.from({ length: 200 }, (_, at) => String(at === 150 ? -8.5 : 0.25));
  const scores = await reranker.rerank({ query: 'q', passages: some, signal });
  assert.deepEqual(scores, some.map(Number).map(sigmoid));
  assert.deepEqual(await reranker.rerank({ query: 'q', passages: ['0.25'], signal }), [sigmoid(0.25)]);
});

test('a server that is busy is asked again, and one that stays busy given up', async () => {
  await using server = await openServer((asked, nth) =>
    nth < 4 ? { status: nth === 1 ? 503 : 429, body: {} } : vllm(asked, nth),
  );
  await using reranker = open(server);
  assert.deepEqual(await reranker.rerank({ query: 'q', passages: ['0.3'], signal }), [0.3]);
  await using busy = await openServer(() => ({ status: 429, body: {} }));
  await using other = open(busy);
  await assert.rejects(other.rerank({ query: 'q', passages: ['0.3'], signal }), {
    code: 'model-unavailable',
  });
  assert.equal(busy.asked.length, 6);
});

test('a list that is too long for a server is sent in halves', async () => {
  await using server = await openServer((asked, nth) =>
    (asked.body['documents'] as string[]).length > 10 ? { status: 413, body: {} } : vllm(asked, nth),
  );
  await using reranker = open(server);
  assert.deepEqual(await reranker.rerank({ query: 'q', passages: hundred, signal }), hundred.map(Number));
});

test('an answer that is no JSON, or misses a passage, fails the list', async () => {
  let broken: unknown = [{ index: 0, score: 0.5 }];
  await using server = await openServer((asked, nth) => (nth === 1 ? vllm(asked, nth) : { body: broken }));
  await using reranker = open(server);
  await reranker.find(signal);
  const ask = (): Promise<number[]> => reranker.rerank({ query: 'q', passages: ['0.1', '0.2'], signal });
  await assert.rejects(ask(), { code: 'model-refused' });
  broken = undefined;
  await assert.rejects(ask(), { code: 'model-unavailable' });
});

test('what a server says of a passage does not reach the error', async () => {
  await using server = await openServer((asked, nth) =>
    nth === 1 ? vllm(asked, nth) : { status: 400, body: { input: asked.body['documents'] } },
  );
  await using reranker = open(server);
  await reranker.find(signal);
  await assert.rejects(
    reranker.rerank({ query: 'q', passages: ['a private text'], signal }),
    ({ message, stack }: Error) => !/private/u.test(`${message} ${stack}`),
  );
});

test('rerank() is bounded, can be cancelled, and asks nobody for no passages', async () => {
  await using server = await openServer(() => 'silence');
  await using reranker = open(server, { timeoutMs: 50 });
  assert.deepEqual(await reranker.rerank({ query: 'q', passages: [], signal }), []);
  const late = reranker.rerank({ query: 'q', passages: ['a'], signal });
  await assert.rejects(late, { code: 'model-unavailable', message: /within 0.05 s/ });
  const stop = new AbortController();
  const waiting = open(server).rerank({ query: 'q', passages: ['a'], signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { code: 'aborted' });
});

test('a server that is away is asked twice and given up', async () => {
  const { url, ...gone } = await openServer(() => 'silence');
  await gone[Symbol.asyncDispose]();
  await using reranker = openRerankServer({ url, model: undefined, key: undefined, firstPauseMs: 1 });
  await assert.rejects(reranker.rerank({ query: 'q', passages: ['a'], signal }), {
    code: 'model-unavailable',
  });
});
