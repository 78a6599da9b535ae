import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { unixAddress } from '../../src/models/address.ts';
import { makeFlights } from '../../src/models/flights.ts';
import type { ModelEndpoint, Role } from '../../src/models/types.ts';
import { until } from '../until.ts';
import { ask, open, post } from './open.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

type Place = 'a port' | 'a Unix socket';

async function upstream(
  handler: Handler,
  place: Place = 'a port',
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => void handler(request, response));
  const folder = await mkdtempDisposable(join(tmpdir(), 'upstream-'));
  const file = join(folder.path, '1.sock');
  if (place === 'a port') server.listen(0, '127.0.0.1');
  else server.listen(file);
  await once(server, 'listening');
  const address = server.address();
  return {
    url: typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : unixAddress(file),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await server[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

/** Says which instance it is and what it got. */
const echo =
  (name: string): Handler =>
  async (request, response) => {
    const body = await text(request);
    const models = [{ name: `${name}:latest` }, { name: 'shared:latest' }];
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ name, path: request.url, body: body === '' ? null : JSON.parse(body), models }),
    );
  };

const ollamaOf = (
  urls: Partial<Record<Role, string>>,
): NonNullable<Parameters<typeof open>[0]>['ollama'] & object => ({
  current: (role) => {
    const url = urls[role];
    return url === undefined ? undefined : { url, model: role === 'embed' ? 'embedder' : 'writer:7b' };
  },
  frozen: (role) => ({ num_ctx: role === 'embed' ? 512 : 4096 }),
  flights: makeFlights(),
});

interface Echo {
  readonly name: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

test('a request goes to the instance that holds the model it names', async () => {
  await using embed = await upstream(echo('embed'));
  await using generate = await upstream(echo('generate'));
  await using endpoint = await open({ ollama: ollamaOf({ embed: embed.url, generate: generate.url }) });
  const went = async (path: string, model: string): Promise<string> => {
    const { name, path: there } = (await (await post(`${endpoint.url}${path}`, { model })).json()) as Echo;
    return `${name} ${there}`;
  };
  assert.equal(await went('/api/embed', 'embedder'), 'embed /api/embed');
  assert.equal(await went('/api/embed', 'embedder:latest'), 'embed /api/embed');
  assert.equal(await went('/v1/embeddings', 'embedder'), 'embed /v1/embeddings');
  assert.equal(await went('/api/chat', 'writer:7b'), 'generate /api/chat');
  assert.equal(await went('/api/show', 'writer:7b'), 'generate /api/show');
});

test('options that would make Ollama load the model anew are those of the job, the others stay', async () => {
  await using generate = await upstream(echo('generate'));
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
  const sent = {
    model: 'writer:7b',
    messages: [{ role: 'user', content: 'é'.repeat(2 ** 21) }],
    keep_alive: 0,
    shift: true,
    options: { num_ctx: 1, num_gpu: 0, temperature: 0.3, num_predict: 5 },
  };
  const { body } = (await (await post(`${endpoint.url}/api/chat`, sent)).json()) as Echo;
  assert.deepEqual(body, {
    model: sent.model,
    messages: sent.messages,
    keep_alive: -1,
    shift: false,
    options: { temperature: 0.3, num_predict: 5, num_ctx: 4096 },
  });
});

test('several instances of a role take turns', async () => {
  await using one = await upstream(echo('one'));
  await using two = await upstream(echo('two'));
  const urls = [one.url, two.url];
  const current = (role: Role): ModelEndpoint | undefined => {
    if (role === 'generate') return undefined;
    urls.reverse();
    return { url: urls[0] ?? '', model: 'embedder' };
  };
  await using endpoint = await open({ ollama: { current, frozen: () => undefined, flights: makeFlights() } });
  const names = new Set<string>();
  for (let i = 0; i < 2; i += 1)
    names.add(((await (await post(`${endpoint.url}/api/embed`, { model: 'embedder' })).json()) as Echo).name);
  assert.deepEqual(names, new Set(['one', 'two']));
});

test('a model that this job does not hold is refused, and named beside those it holds', async () => {
  await using generate = await upstream(() => assert.fail('the request was passed on'));
  await using endpoint = await open({ ollama: ollamaOf({ embed: generate.url, generate: generate.url }) });
  const answer = await post(`${endpoint.url}/api/chat`, { model: 'other', messages: [] });
  assert.equal(answer.status, 422);
  assert.match(await answer.text(), /serves writer:7b and embedder/);
  assert.equal((await post(`${endpoint.url}/api/chat`, {})).status, 422);
  assert.equal((await post(`${endpoint.url}/api/chat`, '[]')).status, 422);
});

test('what would change the model store is refused before its body is read', async () => {
  await using generate = await upstream(() => assert.fail('the request was passed on'));
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
  const refusals: [string, string][] = [
    ['POST', '/api/pull'],
    ['POST', '/api/push'],
    ['POST', '/api/create'],
    ['POST', '/api/copy'],
    ['DELETE', '/api/delete'],
    ['HEAD', '/api/blobs/sha256:00'],
    ['POST', '/api/blobs/sha256:00'],
  ];
  for (const [method, path] of refusals) {
    const { status, text: body } = await ask(
      { host: '127.0.0.1', port: endpoint.port, method, path },
      method === 'POST' ? '{"model":"x"}' : undefined,
    );
    assert.equal(status, 403, `${method} ${path}`);
    if (method !== 'HEAD') assert.match(body, /"code":"forbidden"/);
  }
  assert.equal((await fetch(`${endpoint.url}/api/unknown`)).status, 404);
});

test('/api/tags and /api/ps show the models of all instances once, also while one is down', async () => {
  await using generate = await upstream(echo('generate'));
  await using embed = await upstream(echo('embed'));
  await using endpoint = await open({ ollama: ollamaOf({ embed: embed.url, generate: generate.url }) });
  const names = async (path: string): Promise<string[]> =>
    ((await (await fetch(`${endpoint.url}${path}`)).json()) as { models: { name: string }[] }).models.map(
      ({ name }) => name,
    );
  assert.deepEqual(await names('/api/tags'), ['generate:latest', 'shared:latest', 'embed:latest']);
  assert.deepEqual(await names('/api/ps'), ['generate:latest', 'shared:latest', 'embed:latest']);
  await embed[Symbol.asyncDispose]();
  assert.deepEqual(await names('/api/tags'), ['generate:latest', 'shared:latest']);
  assert.equal((await fetch(`${endpoint.url}/api/version`)).status, 200);
});

for (const place of ['a port', 'a Unix socket'] as const)
  test(`an answer streams through from ${place} line by line, with its status and type`, async () => {
    const more = Promise.withResolvers<void>();
    await using generate = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"done":false}\n');
      void more.promise.then(() => response.end('{"done":true}\n'));
    }, place);
    await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
    const answer = await post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
    assert.equal((await reader.read()).value, '{"done":false}\n');
    more.resolve();
    assert.equal((await reader.read()).value, '{"done":true}\n');
  });

test("an instance's own error passes through; one that is cut off cuts the client off", async () => {
  const handlers: Handler[] = [
    (_request, response) =>
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"too long"}'),
    (_request, response) => response.write('{"done":false}\n', () => response.destroy()),
    (request) => request.destroy(),
  ];
  await using generate = await upstream((request, response) => handlers.shift()?.(request, response));
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
  const chat = (): Promise<Response> =>
    post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
  const refusal = await chat();
  assert.deepEqual([refusal.status, await refusal.text()], [400, '{"error":"too long"}']);
  await assert.rejects((await chat()).text());
  const dead = await chat();
  assert.equal(dead.status, 503);
  assert.match(await dead.text(), /"code":"model-unavailable"/);
});

for (const [phase, place] of [
  ['before the first byte', 'a port'],
  ['in the middle of the stream', 'a port'],
  ['in the middle of the stream', 'a Unix socket'],
] as const)
  test(`a client that leaves ${phase} cancels the request at the instance behind ${place}`, async () => {
    const begun = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    await using generate = await upstream((_request, response) => {
      response.once('close', () => cancelled.resolve());
      if (phase !== 'before the first byte') response.write('{"done":false}\n');
      begun.resolve();
    }, place);
    await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
    const client = new AbortController();
    const body = { model: 'writer:7b', messages: [] };
    const left = assert.rejects(
      post(`${endpoint.url}/api/chat`, body, { signal: client.signal }).then((answer) => answer.text()),
    );
    await begun.promise;
    client.abort();
    await left;
    await cancelled.promise;
  });

test('without a live instance the answer is 503 and says what to ask', async () => {
  await using endpoint = await open();
  for (const answer of [
    await post(`${endpoint.url}/api/chat`, { model: 'm' }),
    await fetch(`${endpoint.url}/api/tags`),
  ]) {
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /readyz/);
  }
});

test('a request that is passed on is under way until it ends, however it ends; a look at a model is not', async () => {
  const handlers: Handler[] = [
    (_request, response) => response.end('{}'),
    (_request, response) => response.writeHead(400).end('{"error":"too long"}'),
    (_request, response) => response.write('{"done":false}\n', () => response.destroy()),
    (request) => request.destroy(),
  ];
  await using generate = await upstream((request, response) => handlers.shift()?.(request, response));
  const ollama = ollamaOf({ generate: generate.url });
  const traffic = () => ollama.flights.traffic(generate.url);
  await using endpoint = await open({ ollama });
  const chat = () => post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
  await (await chat()).text();
  await (await chat()).text();
  await assert.rejects((await chat()).text());
  await (await chat()).text();
  await until(() => traffic().inFlight === 0, 'the end of all flights');
  assert.deepEqual(traffic(), { inFlight: 0, heard: 3, served: 2 });
  handlers.push((_request, response) => response.end('{}'));
  await (await post(`${endpoint.url}/api/show`, { model: 'writer:7b' })).text();
  assert.equal(traffic().heard, 3);
});

for (const phase of ['before the first byte', 'in the middle of the stream'])
  test(`a request to an instance that is found stuck ${phase} is ended; the next waits for its cure`, async () => {
    const begun = Promise.withResolvers<void>();
    let asked = 0;
    await using generate = await upstream((_request, response) => {
      asked += 1;
      if (asked > 1) return response.end('{}');
      if (phase !== 'before the first byte') response.write('{"done":false}\n');
      return begun.resolve();
    });
    const ollama = ollamaOf({ generate: generate.url });
    await using endpoint = await open({ ollama });
    const chat = () => post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
    const first = chat();
    const ended = first.then(async (answer) => (answer.status === 503 ? 'refused' : answer.text()));
    await begun.promise;
    if (phase !== 'before the first byte') await first;
    const grounding = ollama.flights.ground(generate.url, new Error('it is stuck'));
    if (phase === 'before the first byte') assert.equal(await ended, 'refused');
    else await assert.rejects(ended);
    const next = chat();
    await until(() => ollama.flights.traffic(generate.url).inFlight === 0, 'the end of the flight');
    assert.equal(asked, 1);
    grounding.lift();
    assert.equal((await next).status, 200);
  });
