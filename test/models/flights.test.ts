import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeFlights, type Flight } from '../../src/models/flights.ts';
import { setbackOf, unfinished } from '../../src/models/ollama-errors.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';

const url = 'http://127.0.0.1:1';
const { signal } = new AbortController();
const stuck = unfinished('it is stuck');

/** Notes who got a turn, in the order of it. */
function makeLog() {
  const log: string[] = [];
  const note = (name: string) => (flight: Flight) => {
    log.push(name);
    return flight;
  };
  return { log, note };
}

test('requests go together, one that must be alone waits for them, and those that come later for it', async () => {
  const flights = makeFlights();
  const { log, note } = makeLog();
  const begin = (name: string, turn: 'shared' | 'alone') => flights.begin(url, turn, signal).then(note(name));
  const [one, two] = [await begin('one', 'shared'), await begin('two', 'shared')];
  const suspect = begin('suspect', 'alone');
  const later = begin('later', 'shared');
  const latest = begin('latest', 'shared');
  one[Symbol.dispose]();
  await Promise.resolve();
  assert.deepEqual([log, flights.traffic(url).inFlight], [['one', 'two'], 1]);
  two[Symbol.dispose]();
  (await suspect)[Symbol.dispose]();
  await Promise.all([later, latest]);
  assert.deepEqual([log.slice(2), flights.traffic(url).inFlight], [['suspect', 'later', 'latest'], 2]);
});

test('after an answer that broke off nothing begins there for a moment: who came now would be blamed for its end', async () => {
  const flights = makeFlights();
  const broken = await flights.begin(url, 'alone', signal);
  const brokeAt = performance.now();
  broken.brokeOff();
  broken[Symbol.dispose]();
  const next = flights.begin(url, 'alone', signal);
  const elsewhere = await flights.begin('http://127.0.0.1:2', 'alone', signal);
  assert.deepEqual([flights.traffic(url).inFlight, flights.load(url).requests], [0, 1]);
  (await next)[Symbol.dispose]();
  assert.ok(performance.now() - brokeAt >= 90);
  elsewhere[Symbol.dispose]();
});

test('one server does not wait for another', async () => {
  const flights = makeFlights();
  await flights.begin(url, 'alone', signal);
  await flights.begin('http://127.0.0.1:2', 'alone', signal);
  assert.deepEqual([flights.traffic(url).inFlight, flights.traffic('http://127.0.0.1:3').inFlight], [1, 0]);
});

test('a wait that is cancelled lets those behind it go', async () => {
  const flights = makeFlights();
  await flights.begin(url, 'shared', signal);
  const stop = new AbortController();
  const suspect = flights.begin(url, 'alone', stop.signal);
  const behind = flights.begin(url, 'shared', signal);
  stop.abort();
  await assert.rejects(suspect, { code: 'aborted' });
  await behind;
  await assert.rejects(flights.begin(url, 'shared', stop.signal), { code: 'aborted' });
});

test('grounding a server ends what is under way, and nothing begins until it is lifted', async () => {
  const flights = makeFlights();
  const { log, note } = makeLog();
  const one = await flights.begin(url, 'shared', signal);
  using grounding = flights.ground(url, stuck);
  assert.deepEqual([grounding.ended, one.signal.reason], [1, stuck]);
  one[Symbol.dispose]();
  const waiting = flights.begin(url, 'shared', signal).then(note('waiting'));
  await new Promise(setImmediate);
  assert.deepEqual(log, []);
  grounding.lift();
  (await waiting)[Symbol.dispose]();
});

test('those who wait for a server that is given up are sent elsewhere, without blame', async () => {
  const flights = makeFlights();
  const grounding = flights.ground(url, stuck);
  const waiting = flights.begin(url, 'alone', signal).catch((error: unknown) => error);
  grounding[Symbol.dispose]();
  assert.equal(setbackOf(await waiting), 'refused');
  await flights.begin(url, 'shared', signal);
});

async function openServer(answer: (path: string, response: ServerResponse) => void) {
  const server = createServer((request, response) => answer(request.url ?? '', response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = openOllamaHttp();
  return {
    http,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const body = { model: 'm' };

test('an answer, a refusal and a stream that its reader leaves are over, and counted as what they are', async () => {
  await using server = await openServer((path, response) => {
    if (path === '/refuse') response.writeHead(400).end('{"error":"no"}');
    else if (path === '/stream') response.write('{"done":false}\n');
    else response.end('{}');
  });
  const { http, url } = server;
  await http.json({ url, path: '/', body, signal });
  assert.deepEqual(http.flights.traffic(url), { inFlight: 0, heard: 1, served: 1 });
  await assert.rejects(http.json({ url, path: '/refuse', body, signal }), { code: 'model-refused' });
  assert.deepEqual(http.flights.traffic(url), { inFlight: 0, heard: 2, served: 1 });
  for await (const _ of http.lines({ url, path: '/stream', body, signal })) {
    assert.equal(http.flights.traffic(url).inFlight, 1);
    break;
  }
  assert.deepEqual(http.flights.traffic(url), { inFlight: 0, heard: 3, served: 2 });
});

test('a request to a server that is found stuck ends as one whose server died; questions about it go on', async () => {
  const asked: string[] = [];
  const arrived = Promise.withResolvers<void>();
  await using server = await openServer((path, response) => {
    asked.push(path);
    if (path === '/hangs') arrived.resolve();
    else response.end('{}');
  });
  const { http, url } = server;
  const hanging = http.json({ url, path: '/hangs', body, signal }).catch((error: unknown) => error);
  await arrived.promise;
  http.flights.ground(url, stuck);
  assert.deepEqual([setbackOf(await hanging), codeOf(await hanging)], ['died', 'model-unavailable']);
  await http.json({ url, path: '/api/version', signal });
  await http.json({ url, path: '/api/embed', body, turn: 'probe', signal });
  assert.deepEqual(asked, ['/hangs', '/api/version', '/api/embed']);
  assert.equal(http.flights.traffic(url).inFlight, 0);
});
