/** What becomes of answers that do not come as they should. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { z } from 'zod';
import { openConnection } from '../../src/client/connection.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

async function asked(answer: (response: ServerResponse) => void, signal: AbortSignal): Promise<unknown> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await using connection = await openConnection({
    url: `http://127.0.0.1:${port}`,
    tokenFile: undefined,
    name: 'job 17',
  });
  try {
    return await connection.askJson('/status', { signal }, z.object({ index: z.string() }));
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const half = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': 100 }).write('{"index":');
};

test('an answer that breaks off, is no JSON or another than was asked for is told in one line', async () => {
  assert.deepEqual(await asked((response) => response.end('{"index":"/i"}'), soon()), { index: '/i' });
  const cut = (response: ServerResponse): void => {
    half(response);
    setImmediate(() => response.destroy());
  };
  const message = /^Cannot read the answer of job 17: .+$/;
  await assert.rejects(asked(cut, soon()), { code: 'service-failed', message });
  await assert.rejects(
    asked((response) => response.end('<html>'), soon()),
    { code: 'service-failed', message },
  );
  await assert.rejects(
    asked((response) => response.end('{"index":7}'), soon()),
    { code: 'service-failed', message: /it is another than was asked for \(.*index/ },
  );
});

test('who is told to stop in the middle of an answer hears that', async () => {
  const told = new AbortController();
  const stopping = (response: ServerResponse): void => {
    half(response);
    setImmediate(() => told.abort());
  };
  await assert.rejects(asked(stopping, told.signal), { code: 'aborted' });
});
