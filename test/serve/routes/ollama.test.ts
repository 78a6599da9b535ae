import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { modelsAnswer, versionAnswer } from '../../../src/serve/gateway/model-lists.ts';
import { ollamaErrorSchema } from '../../../src/serve/contract/route.ts';
import { until } from '../../until.ts';
import { echo, type Handler, json, ollamaOf, upstream } from '../model-servers.ts';
import { ask, open, post } from '../open.ts';

interface Echo {
  readonly name: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

const never: Handler = () => assert.fail('the request was passed on');

const problemIn = async (answer: Response): Promise<z.infer<typeof ollamaErrorSchema>> =>
  ollamaErrorSchema.parse(await answer.json());

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
  assert.equal(await went('/api/embeddings', 'embedder'), 'embed /api/embeddings');
  assert.equal(await went('/api/chat', 'Writer:7b'), 'generate /api/chat');
  assert.equal(await went('/api/show', 'writer:7b'), 'generate /api/show');
});

test('where one model does both, what is asked says which of its instances gets it', async () => {
  await using embed = await upstream(echo('embed'));
  await using generate = await upstream(echo('generate'));
  const both = (['generate', 'embed'] as const).map((role) => ({ role, model: 'both' }));
  const ollama = { ...ollamaOf({ embed: embed.url, generate: generate.url }), models: both };
  await using endpoint = await open({ ollama });
  const went = async (path: string): Promise<string> =>
    ((await (await post(`${endpoint.url}${path}`, { model: 'both' })).json()) as Echo).name;
  assert.deepEqual([await went('/api/embed'), await went('/api/chat')], ['embed', 'generate']);
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

test('a body is JSON whatever its type says, as for Ollama: curl without a header sends a form', async () => {
  await using generate = await upstream(echo('generate'));
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream']) {
    const headers = { 'content-type': type };
    const answer = await post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] }, { headers });
    assert.equal(answer.status, 200, type);
  }
  const bytes = Buffer.from('{"model":"writer:7b"}');
  const untyped = await ask(
    { host: '127.0.0.1', port: endpoint.port, method: 'POST', path: '/api/generate' },
    bytes.toString(),
  );
  assert.equal(untyped.status, 200);
  const headers = { 'content-type': 'text/plain' };
  assert.equal((await post(`${endpoint.url}/query`, { query: 'q' }, { headers })).status, 415);
});

test('a model that this job does not hold is refused, and named beside those it holds', async () => {
  await using generate = await upstream(never);
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url, embed: generate.url }) });
  const answer = await post(`${endpoint.url}/api/chat`, { model: 'other', messages: [] });
  assert.equal(answer.status, 404);
  const { error, code } = await problemIn(answer);
  assert.match(error, /not found.*serves writer:7b and embedder/);
  assert.equal(code, 'not-found');
  for (const body of [{}, '[]', '{"model":', { model: 'writer:7b', messages: 'hello' }, { model: 7 }]) {
    const wrong = await post(`${endpoint.url}/api/chat`, body);
    assert.equal(wrong.status, 400, JSON.stringify(body));
    assert.match((await problemIn(wrong)).error, /^Cannot read the request: .* is wanted/);
  }
});

test('what would change the model store is refused before its body is read', async () => {
  await using generate = await upstream(never);
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
    if (method !== 'HEAD')
      assert.match(body, /"error":"Cannot .* does not change its models.*"code":"forbidden"/);
  }
  assert.equal((await fetch(`${endpoint.url}/api/unknown`)).status, 404);
});

test('the lists show the models that the job serves, each once, also while one of its servers is down', async () => {
  const holding =
    (...names: string[]): Handler =>
    (_request, response) =>
      response.end(JSON.stringify({ models: names.map((name) => ({ name })), version: '0.33.0' }));
  await using generate = await upstream(holding('writer:7b', 'embedder:latest', 'another:1b'));
  await using embed = await upstream(holding('embedder:latest'));
  const gone = await upstream(never);
  await gone[Symbol.asyncDispose]();
  const ollama = ollamaOf({ embed: [gone.url, embed.url], generate: generate.url });
  await using endpoint = await open({ ollama });
  const names = async (path: string): Promise<string[]> =>
    modelsAnswer.parse(await (await fetch(`${endpoint.url}${path}`)).json()).models.map(({ name }) => name);
  assert.deepEqual(await names('/api/tags'), ['embedder:latest', 'writer:7b']);
  assert.deepEqual(await names('/api/ps'), ['embedder:latest', 'writer:7b']);
  assert.equal((await fetch(`${endpoint.url}/api/tags`, { method: 'HEAD' })).status, 200);
  await generate[Symbol.asyncDispose]();
  assert.deepEqual(await names('/api/tags'), ['embedder:latest']);
  const { version } = versionAnswer.parse(await (await fetch(`${endpoint.url}/api/version`)).json());
  assert.equal(version, '0.33.0');
  await embed[Symbol.asyncDispose]();
  const none = await fetch(`${endpoint.url}/api/tags`);
  assert.deepEqual([none.status, (await problemIn(none)).code], [503, 'model-unavailable']);
});

for (const place of ['a port', 'a Unix socket'] as const)
  test(`an answer streams through from ${place} byte by byte, with its status and type, and says who gave it`, async () => {
    const more = Promise.withResolvers<void>();
    const bytes = ['{"done":', 'false}\n\n', '{"é":"', '\u0000\u001b[31m"}\n'];
    await using generate = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(bytes[0]);
      void more.promise.then(() => bytes.slice(1).forEach((piece) => response.write(piece)));
      void more.promise.then(() => response.end('{"done":true}'));
    }, place);
    await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
    const answer = await post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(answer.headers.get('x-served-by'), 'generate-1');
    assert.match(answer.headers.get('x-queue-ms') ?? '', /^\d+\.\d$/);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
    assert.equal((await reader.read()).value, bytes[0]);
    more.resolve();
    let rest = '';
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) rest += piece.value;
    assert.equal(rest, `${bytes.slice(1).join('')}{"done":true}`);
  });

test("an instance's own refusal passes through as it is, and is not sent again", async () => {
  let asked = 0;
  await using generate = await upstream((_request, response) => {
    asked += 1;
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"error":"it does not support chat"}');
  });
  await using endpoint = await open({ ollama: ollamaOf({ generate: generate.url }) });
  const answer = await post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
  assert.deepEqual([answer.status, await answer.text()], [400, '{"error":"it does not support chat"}']);
  assert.equal(answer.headers.get('x-served-by'), 'generate-1');
  assert.equal(asked, 1);
});

for (const [phase, place] of [
  ['before the first byte', 'a port'],
  ['in the middle of the stream', 'a port'],
  ['in the middle of the stream', 'a Unix socket'],
] as const)
  test(`a client that leaves ${phase} cancels the request at the instance behind ${place}`, async () => {
    const begun = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    let asked = 0;
    await using generate = await upstream((_request, response) => {
      asked += 1;
      response.once('close', () => cancelled.resolve());
      if (phase !== 'before the first byte') response.write('{"done":false}\n');
      begun.resolve();
    }, place);
    const ollama = ollamaOf({ generate: generate.url });
    await using endpoint = await open({ ollama });
    const client = new AbortController();
    const body = { model: 'writer:7b', messages: [] };
    const left = assert.rejects(
      post(`${endpoint.url}/api/chat`, body, { signal: client.signal }).then((answer) => answer.text()),
    );
    await begun.promise;
    client.abort();
    await left;
    await cancelled.promise;
    await until(() => ollama.flights.traffic(generate.url).inFlight === 0, 'the end of the flight');
    assert.equal(asked, 1, 'nobody is there for whom it would be sent again');
  });

test('a request that is passed on is under way until it ends, however it ends; a look at a model is not', async () => {
  const handlers: Handler[] = [
    (_request, response) => response.end('{}'),
    (_request, response) => response.writeHead(400).end('{"error":"too long"}'),
    (_request, response) => response.write('{"done":false}\n', () => response.destroy()),
  ];
  await using generate = await upstream((request, response) => handlers.shift()?.(request, response));
  const ollama = ollamaOf({ generate: generate.url });
  const traffic = () => ollama.flights.traffic(generate.url);
  await using endpoint = await open({ ollama });
  const chat = () => post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
  await (await chat()).text();
  await (await chat()).text();
  await assert.rejects((await chat()).text());
  await until(() => traffic().inFlight === 0, 'the end of all flights');
  assert.deepEqual(traffic(), { inFlight: 0, heard: 3, served: 2 });
  handlers.push((_request, response) => response.end('{}'));
  await (await post(`${endpoint.url}/api/show`, { name: 'writer:7b' })).text();
  assert.equal(traffic().heard, 3);
});

test('a layout without a generator says when it will come; embeddings go on meanwhile', async () => {
  await using embed = await upstream(async (request, response) =>
    response.end(JSON.stringify(await json(request))),
  );
  const why = { message: 'Cannot generate yet', hint: 'wait', seconds: 42 };
  const ollama = ollamaOf({ embed: embed.url, generate: [] });
  await using endpoint = await open({ ollama, postponed: () => why });
  const chat = await post(`${endpoint.url}/api/chat`, { model: 'writer:7b', messages: [] });
  assert.deepEqual([chat.status, chat.headers.get('retry-after')], [503, '42']);
  assert.match((await problemIn(chat)).error, /Cannot generate yet/);
  assert.equal((await post(`${endpoint.url}/api/embed`, { model: 'embedder', input: 'a' })).status, 200);
});
