/** Bytes that are no HTTP, or not yet: each of the servers says so in the form of every other refusal, and goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
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

test('an answer that has begun is not broken by what comes behind its question', async () => {
  const answered = Promise.withResolvers<void>();
  await using endpoint = await open({
    work: {
      retrieve: () => Promise.reject(new Error('not asked for')),
      query: async ({ onText }) => {
        onText?.('a piece');
        await answered.promise;
        throw new Error('never told');
      },
    },
  });
  const socket = connect(endpoint.port, '127.0.0.1');
  const body = '{"query":"q"}';
  socket.write(
    `POST /query/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  let more = '';
  socket.on('data', (piece: Buffer) => (more += piece.toString()));
  socket.write('no HTTP\r\n\r\n');
  await once(socket, 'close');
  answered.resolve();
  assert.match(first.toString(), /^HTTP\/1.1 200 /);
  assert.doesNotMatch(more, /HTTP\/1.1/, 'no second head in the middle of a body');
});

test('a body for Ollama that is nested deeper than the stack is refused, and is no bug', async () => {
  await using endpoint = await open({ ollama: ollamaOf({ embed: 'http://127.0.0.1:1' }) });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const answer = await post(`${endpoint.url}/api/embed`, `{"model":"${modelOf.embed}","x":${deep}}`);
  const { code } = (await answer.json()) as { code: string };
  assert.deepEqual([answer.status, code], [400, 'usage']);
});
