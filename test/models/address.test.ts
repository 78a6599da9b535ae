import assert from 'node:assert/strict';
import { once } from 'node:events';
import { linkSync, rmSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openConnections, unixAddress } from '../../src/models/address.ts';
import { setbackOf } from '../../src/models/ollama-errors.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

async function listen(
  file: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly url: string; readonly file: string }> {
  const server = createServer(answer).listen(file);
  await once(server, 'listening');
  return {
    url: unixAddress(file),
    file,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const folder = () => mkdtempDisposable(path.join(tmpdir(), 'address-'));

test('a server behind a socket is asked for the host that the guard against DNS rebinding takes', async () => {
  await using dir = await folder();
  await using server = await listen(path.join(dir.path, '1.sock'), ({ headers }, response) =>
    response.end(JSON.stringify(headers)),
  );
  await using http = openOllamaHttp();
  const headers = await http.json({ url: server.url, path: '/', signal: soon() });
  assert.equal((headers as { host: string }).host, 'localhost');
});

test('each socket is asked over connections of its own', async () => {
  await using dir = await folder();
  await using one = await listen(path.join(dir.path, '1.sock'), (_, response) => response.end('"one"'));
  await using other = await listen(path.join(dir.path, '2.sock'), (_, response) => response.end('"other"'));
  await using http = openOllamaHttp();
  const ask = ({ url }: { readonly url: string }): Promise<unknown> =>
    http.json({ url, path: '/', signal: soon() });
  assert.deepEqual(await Promise.all([one, other, one, other].map(ask)), ['one', 'other', 'one', 'other']);
});

test('lines of a streamed answer come as they are sent, and leaving them ends the request', async () => {
  await using dir = await folder();
  let next: () => void = () => undefined;
  const gone = Promise.withResolvers<void>();
  await using server = await listen(path.join(dir.path, '1.sock'), (_, response) => {
    let line = 0;
    next = () => void response.write(`${(line += 1)}\n`);
    next();
    response.once('close', gone.resolve);
  });
  await using http = openOllamaHttp();
  const lines: unknown[] = [];
  for await (const line of http.lines({ url: server.url, path: '/', signal: soon() })) {
    if (lines.push(line) === 3) break;
    next();
  }
  assert.deepEqual(lines, [1, 2, 3]);
  await gone.promise;
});

test('a socket where nobody listens is a refusal, whether its file is there or not', async () => {
  await using dir = await folder();
  const left = path.join(dir.path, 'left.sock');
  await using http = openOllamaHttp();
  const setback = (): Promise<unknown> =>
    http.json({ url: unixAddress(left), path: '/', signal: soon() }).catch(setbackOf);
  assert.equal(await setback(), 'refused');
  {
    await using server = await listen(path.join(dir.path, '1.sock'), (_, response) => response.end('1'));
    linkSync(server.file, left);
  }
  assert.equal(await setback(), 'refused');
});

test('a socket that is gone keeps nothing: what it had is closed when the next one is asked', async () => {
  await using dir = await folder();
  await using connections = openConnections({});
  await using server = await listen(path.join(dir.path, '1.sock'), (_, response) => response.end('1'));
  const { dispatcher } = connections.to(server.url);
  assert.equal(connections.to(server.url).dispatcher, dispatcher);
  rmSync(server.file);
  connections.to(unixAddress(path.join(dir.path, '2.sock')));
  await assert.rejects(dispatcher.request({ origin: 'http://localhost', path: '/', method: 'GET' }), {
    code: 'UND_ERR_CLOSED',
  });
});
