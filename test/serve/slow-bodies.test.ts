/** A body that does not come to its end keeps no connection; one of a file may take its time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { open } from './open.ts';
import { hashOf, openDocuments } from './documents.ts';

const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** Everything but the last byte of the body. */
async function begin(to: { port: number } | { path: string }, head: string, body: string): Promise<Socket> {
  const socket = connect({ ...to, host: '127.0.0.1' });
  await once(socket, 'connect');
  const length = `Content-Length: ${body.length}`;
  socket.write([head, 'Host: localhost', length, '', body.slice(0, -1)].join('\r\n'));
  return socket;
}

const question = ['POST /query HTTP/1.1\r\nContent-Type: application/json', '{"query":"q"}'] as const;

test('a request that does not come to its end is refused in time, over TCP and the Unix socket', async () => {
  await using endpoint = await open({ bodyMs: 50 });
  for (const to of [{ port: endpoint.port }, { path: endpoint.socketPath }]) {
    const socket = await begin(to, ...question);
    const said = await text(socket);
    assert.match(said, /^HTTP\/1.1 408 /);
    assert.match(said, /came too slowly/);
  }
});

test('whoever opens a connection and says nothing, or half a head, does not keep it', async () => {
  await using endpoint = await open({ headMs: 50, host: outward ?? '127.0.0.1' });
  for (const to of [
    { port: endpoint.port, host: endpoint.host },
    { port: endpoint.port, host: '127.0.0.1' },
    { path: endpoint.socketPath },
  ])
    for (const half of ['', 'POST /query HTTP/1.1\r\nHost: loc']) {
      const socket = connect(to);
      socket.write(half);
      assert.match(await text(socket), /^HTTP\/1.1 408 /, JSON.stringify([to, half]));
    }
});

test('who is refused cannot keep the connection by a body that goes on and on', async () => {
  await using endpoint = await open();
  const socket = connect({ port: endpoint.port, host: '127.0.0.1' });
  socket.write(
    'POST /query HTTP/1.1\r\nHost: localhost\r\nOrigin: https://example.org\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  );
  assert.match(await text(socket), /^HTTP\/1.1 403 [\s\S]*connection: close/i);
});

test('a file that is sent may take longer than any other request', async () => {
  await using documents = await openDocuments({}, { bodyMs: 50 });
  const { endpoint } = documents;
  const bytes = 'many bytes';
  const head = `PUT /documents/contents/${hashOf(bytes)} HTTP/1.1\r\nContent-Type: application/octet-stream\r\nConnection: close`;
  const upload = await begin({ port: endpoint.port }, head, bytes);
  // One that began after it has been refused: the time is over for this one as well.
  await text(await begin({ port: endpoint.port }, ...question));
  upload.write(bytes.slice(-1));
  assert.match(await text(upload), /^HTTP\/1.1 200 /);
});
