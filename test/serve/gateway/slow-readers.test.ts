/** A client that reads slowly, or not at all: nobody else notices, and what waits for it is bounded. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { lookAt } from '../../../src/serve/gateway/outlet.ts';
import { until } from '../../until.ts';
import { answer, chatBody, firstOf, json, ollamaOf, upstream, untilFigures } from '../model-servers.ts';
import { open, post } from '../open.ts';

const piece = randomBytes(2 ** 16);
const mebibyte = 2 ** 20;

/** An answer of which nothing is read. */
async function openReader(port: number): Promise<IncomingMessage> {
  const outgoing = request({ host: '127.0.0.1', port, path: '/api/chat', method: 'POST', agent: false });
  outgoing.on('error', () => undefined).end(JSON.stringify(chatBody('slow')));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming.on('error', () => undefined);
}

/** Says so many bytes to who asks slowly, as fast as they are taken; answers the others at once. */
async function talking(bytes: number) {
  const said = { bytes: 0, isOver: false };
  const speak = (response: ServerResponse): void => {
    while (said.bytes < bytes) {
      said.bytes += piece.length;
      if (!response.write(piece)) return void response.once('drain', () => speak(response));
    }
    response.end();
    said.isOver = true;
  };
  const server = await upstream(async (request, response) => {
    if (firstOf(await json(request)) !== 'slow') return answer(response);
    response.setHeader('content-type', 'application/octet-stream');
    return speak(response);
  });
  return { ...server, said };
}

test('an answer of a usual size is finished although nobody reads it, and its place is free', async () => {
  await using one = await talking(3 * mebibyte);
  const ollama = ollamaOf({ generate: one.url }, { places: { width: { generate: 1, embed: 1 } } });
  await using endpoint = await open({ ollama });
  const slow = await openReader(endpoint.port);
  await until(() => one.said.isOver, 'the end of the answer');
  await untilFigures(endpoint.url, ({ instances }) => instances[0]?.under_way === 0, 'a free place');
  assert.equal((await post(`${endpoint.url}/api/chat`, chatBody('fast'))).status, 200);
  slow.destroy();
});

test('a huge answer is read no faster than its client reads, others go on meanwhile, and no byte is lost', async () => {
  const bytes = 256 * mebibyte;
  await using one = await talking(bytes);
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const slow = await openReader(endpoint.port);
  // The buffers of the kernel take some, ours 4 MiB; then it stands still.
  let seen = -1;
  while (one.said.bytes !== seen) {
    seen = one.said.bytes;
    for (let n = 0; n < 20; n += 1)
      assert.equal((await post(`${endpoint.url}/api/chat`, chatBody('fast'))).status, 200);
  }
  assert.ok(one.said.bytes < 64 * mebibyte, `${one.said.bytes} bytes were read for a client that reads none`);
  const [hash, wanted] = [createHash('sha256'), createHash('sha256')];
  for (let n = 0; n < bytes / piece.length; n += 1) wanted.update(piece);
  let got = 0;
  for await (const some of slow as AsyncIterable<Buffer>) {
    hash.update(some);
    got += some.length;
  }
  assert.equal(got, bytes);
  assert.equal(hash.digest('hex'), wanted.digest('hex'));
});

for (const [what, bytes] of [
  ['in the middle of a huge answer', 256 * mebibyte],
  ['at the end of a small one', 12 * mebibyte],
] as const)
  test(`a client that takes nothing ${what} is cut off: no server waits for it, and no memory`, async () => {
    await using one = await talking(bytes);
    const outlet = { waitingBytes: mebibyte, stillMs: 100 };
    const ollama = ollamaOf({ generate: one.url }, { outlet });
    await using endpoint = await open({ ollama });
    const slow = await openReader(endpoint.port);
    await untilFigures(endpoint.url, ({ instances }) => instances[0]?.under_way === 0, 'the end of it');
    assert.equal(ollama.flights.traffic(one.url).inFlight, 0);
    await new Promise((resolve) => slow.once('close', resolve).resume());
    assert.ok(!slow.complete, 'it sees that this was not all');
    assert.equal((await post(`${endpoint.url}/api/chat`, chatBody('fast'))).status, 200);
  });

test('a client that reads a little now and then is not cut off, nor one for whom nothing waits', () => {
  const looks = (...seen: [taken: number, waiting: number][]): number | undefined =>
    seen.reduce<ReturnType<typeof lookAt>>(
      (before, [taken, waiting]) => lookAt(before, taken, waiting),
      undefined,
    )?.looks;
  assert.equal(looks([0, 9], [1, 8], [2, 9], [3, 9]), 1);
  assert.equal(looks([9, 0], [9, 0], [9, 0]), undefined);
  assert.equal(looks([9, 0], [9, 5]), 1, 'it came a moment ago');
  assert.equal(looks([0, 9], [0, 99]), 2);
});
