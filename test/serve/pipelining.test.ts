/** Many requests on one connection whose answers nobody reads: whoever is on the node may send them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { open } from './open.ts';

for (const [what, request] of [
  ['whole ones', 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['without a Host', 'GET /status HTTP/1.1\r\n\r\n'],
  ['that expect something', 'GET /status HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n'],
] as const)
  test(`a connection on which too many requests wait is cut: ${what}`, async () => {
    await using endpoint = await open();
    const socket = connect(endpoint.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause().write(request.repeat(1000));
    socket.resume();
    await once(socket, 'close');
    // The others are not held up by it.
    assert.equal((await fetch(`${endpoint.url}/status`)).status, 200);
  });

test('a few are answered in their order', async () => {
  await using endpoint = await open();
  const socket = connect(endpoint.port, '127.0.0.1');
  const ask = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  socket.write(ask('/healthz').repeat(9) + ask('/none', 'Connection: close\r\n'));
  const said = await text(socket);
  assert.deepEqual(
    [...said.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status),
    [...Array.from({ length: 9 }, () => '200'), '404'],
  );
});
