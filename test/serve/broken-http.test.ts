/** Bytes that are no HTTP, or not yet: each of the servers says so in the form of every other refusal, and goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import { until } from '../until.ts';
import { modelOf, ollamaOf } from './model-servers.ts';
import { open, post } from './open.ts';

const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** @returns status line and body of what comes before the connection ends */
async function say(to: NetConnectOpts, bytes: string): Promise<[string, unknown]> {
  const socket = connect({ ...to, allowHalfOpen: true });
  let said = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  socket.end(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = said.split('\r\n\r\n');
  return [head.split('\r\n')[0] ?? '', JSON.parse(body)];
}

const cases: [string, string, number, string][] = [
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad-request'],
  ['an unknown method', 'BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-request'],
  [
    'a head of 64 KiB',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`,
    431,
    'too-large',
  ],
  ['a head that ends too early', 'GET / HTTP/1.1\r\nHost: loc', 400, 'bad-request'],
  [
    'a body that ends too early',
    'POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"q',
    400,
    'bad-request',
  ],
  [
    'two lengths',
    'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    'bad-request',
  ],
  ['a strange expectation', 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n', 417, 'bad-request'],
];

for (const [what, bytes, status, code] of cases)
  test(`${what} is refused with ${status} on every door, and the next request is answered`, async () => {
    await using endpoint = await open({ host: outward ?? '127.0.0.1' });
    const { host, port, socketPath } = endpoint;
    for (const door of [{ host, port }, { host: '127.0.0.1', port }, { path: socketPath }]) {
      const [line, body] = await say(door, bytes);
      const { error } = body as { error: { code: string; message: string; hint: unknown } };
      // Who is not known, and whose head can be read, is refused once, and not for his body as well.
      const isStranger = door.host === outward && bytes.startsWith('POST');
      assert.match(line, new RegExp(`^HTTP/1.1 ${isStranger ? 401 : status} `), JSON.stringify(door));
      assert.equal(error.code, isStranger ? 'forbidden' : code);
      assert.match(error.message, /^Cannot .* (?:wanted|known)$/);
      assert.ok('hint' in error);
    }
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  });

/** Whole requests, then bytes that are none, on one connection. */
const pipelined = (...bodies: string[]): string =>
  [
    ...bodies.map(
      (body) =>
        `POST /query/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
    'no HTTP\r\n\r\n',
  ].join('');

test('requests that came whole before a broken one are answered first, each its own, and none is cut', async () => {
  const release = Promise.withResolvers<void>();
  const begun: string[] = [];
  await using endpoint = await open({
    work: {
      retrieve: () => Promise.reject(new Error('not asked for')),
      query: async ({ query, onText }) => {
        begun.push(query);
        onText?.(`a piece for ${query}`);
        if (query === 'first') await release.promise;
        throw new RagError('too-long', 'Cannot answer: it is too long, less is wanted');
      },
    },
  });
  const socket = connect(endpoint.port, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const closed = once(socket, 'close');
  socket.write(pipelined('{"query":"first"}', '{"query":"second"}'));
  await until(() => begun.length === 2 && said.includes('a piece for first'), 'both to have begun');
  release.resolve();
  await closed;
  const answers = said.split(/(?=HTTP\/1\.1 \d{3})/u);
  assert.deepEqual(
    answers.map((answer) => answer.slice(9, 12)),
    ['200', '200', '400'],
  );
  assert.match(answers[0] ?? '', /a piece for first[^]*too-long[^]*\r\n0\r\n\r\n$/);
  assert.match(answers[1] ?? '', /a piece for second[^]*too-long[^]*\r\n0\r\n\r\n$/);
  assert.match(answers[2] ?? '', /"code":"bad-request"/);
});

test('a client that goes in the middle of that leaves nothing waiting', async () => {
  const gone = Promise.withResolvers<void>();
  await using endpoint = await open({
    work: {
      retrieve: () => Promise.reject(new Error('not asked for')),
      query: ({ signal, onText }) => {
        onText?.('a piece');
        signal.addEventListener('abort', () => gone.resolve());
        return new Promise(() => undefined);
      },
    },
  });
  const socket = connect(endpoint.port, '127.0.0.1');
  socket.write(pipelined('{"query":"first"}'));
  await once(socket, 'data');
  socket.destroy();
  await gone.promise;
});

test('a body for Ollama that is nested deeper than the stack is refused, and is no bug', async () => {
  await using endpoint = await open({ ollama: ollamaOf({ embed: 'http://127.0.0.1:1' }) });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const answer = await post(`${endpoint.url}/api/embed`, `{"model":"${modelOf.embed}","x":${deep}}`);
  const { code } = (await answer.json()) as { code: string };
  assert.deepEqual([answer.status, code], [400, 'usage']);
});
