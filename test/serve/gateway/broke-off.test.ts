/** Whose fault it is that an answer does not come whole, and what is counted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import {
  answer,
  chatBody,
  figuresOf,
  type Handler,
  ollamaOf,
  untilFigures,
  upstream,
} from '../model-servers.ts';
import { open, post } from '../open.ts';

/** An instance whose rests are counted: in each nothing begins there. */
async function opened(handler: Handler) {
  const one = await upstream(handler);
  const ollama = ollamaOf({ generate: one.url });
  const rests = { count: 0 };
  const { flights } = ollama;
  const counted: typeof flights = {
    ...flights,
    begin: async (...asked) => {
      const flight = await flights.begin(...asked);
      return {
        ...flight,
        brokeOff: () => {
          rests.count += 1;
          flight.brokeOff();
        },
      };
    },
  };
  const endpoint = await open({ ollama: { ...ollama, flights: counted } });
  return {
    url: endpoint.url,
    port: endpoint.port,
    rests: () => rests.count,
    [Symbol.asyncDispose]: async () => {
      await endpoint[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

test('a client that leaves before its first byte lets nobody else wait', async () => {
  await using world = await opened(() => undefined);
  const leaving = request({ host: '127.0.0.1', port: world.port, path: '/api/chat', method: 'POST' });
  leaving.on('error', () => undefined).end(JSON.stringify(chatBody()));
  await untilFigures(world.url, ({ instances }) => instances[0]?.under_way === 1, 'its request');
  leaving.destroy();
  await untilFigures(world.url, ({ instances }) => instances[0]?.under_way === 0, 'the end of it');
  assert.equal(world.rests(), 0);
});

test('a server that ends in the middle of an answer rests, and that answer is not counted', async () => {
  const line = '{"message":{"content":"a"},"done":false}\n';
  const handlers: Handler[] = [
    (_request, response) => response.write(line, () => response.destroy()),
    (_request, response) => answer(response),
  ];
  await using world = await opened((asked, response) => handlers.shift()?.(asked, response));
  const cut = await post(`${world.url}/api/chat`, chatBody('a', { stream: true }));
  await cut.text().catch(() => undefined);
  assert.equal((await post(`${world.url}/api/chat`, chatBody('b'))).status, 200);
  assert.equal(world.rests(), 1);
  assert.equal((await figuresOf(world.url)).answered, 1);
});

test('nothing reloads the generator: neither a request that only loads, nor one that would have it embed', async () => {
  const bodies: Record<string, unknown>[] = [];
  await using world = await opened(async (asked, response) => {
    let text = '';
    asked.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await once(asked, 'end');
    bodies.push(JSON.parse(text) as Record<string, unknown>);
    answer(response);
  });
  for (const [path, body] of [
    ['/api/generate', {}],
    ['/api/chat', { keep_alive: 0 }],
  ] as const)
    assert.equal((await post(`${world.url}${path}`, { model: 'writer:7b', ...body })).status, 200);
  for (const each of bodies) assert.partialDeepStrictEqual(each, { shift: false, keep_alive: -1 });
  const embedding = await post(`${world.url}/api/embed`, { model: 'writer:7b', input: 'a' });
  assert.equal(embedding.status, 400);
  assert.match(await embedding.text(), /serves it to answer/);
  assert.equal(bodies.length, 2);
});
