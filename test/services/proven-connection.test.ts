import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openConnection } from '../../src/client/connection.ts';
import { askRetrieve } from '../../src/client/questions.ts';
import { makeTokens } from '../../src/serve/access/tokens.ts';
import { askForProof } from '../../src/services/proven-connection.ts';
import { watchLeaks } from '../leaks.ts';
import { ask, open } from '../serve/open.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const tokens = makeTokens();
const soon = (): AbortSignal => AbortSignal.timeout(5000);

interface Impostor extends AsyncDisposable {
  readonly url: string;
  /** Everything that it was sent. */
  readonly heard: string[];
}

/** Says yes to everything. */
async function startImpostor(port: number, body = '{"proof":"trust me","result":[[]]}'): Promise<Impostor> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(`${request.method} ${request.url?.split('=')[0]} ${request.headers.authorization ?? ''}`);
    response.setHeader('content-type', 'application/json').end(body);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('who holds the token proves it, over IPv6 as well; who does not is another', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    await using endpoint = await open({ tokens, host });
    assert.equal(await askForProof(endpoint.url, tokens.header, soon()), 'proven', host);
    assert.equal(await askForProof(endpoint.url, 'another', soon()), 'another');
  }
  await using impostor = await startImpostor(0);
  assert.equal(await askForProof(impostor.url, tokens.header, soon()), 'another');
  await using babbler = await startImpostor(0, 'x'.repeat(100_000));
  assert.equal(await askForProof(babbler.url, tokens.header, soon()), 'another');
});

test('who says nothing, or hangs up, is not waited for in vain', async () => {
  let onConnection: 'hang' | 'hang up' = 'hang';
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).resume();
    if (onConnection === 'hang up') socket.end('HTTP/1.1 200 OK\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  await assert.rejects(askForProof(url, tokens.header, AbortSignal.timeout(50)), { name: 'TimeoutError' });
  onConnection = 'hang up';
  await assert.rejects(askForProof(url, tokens.header, soon()), /ended the connection/);
  server.close();
  await once(server, 'close');
  await assert.rejects(askForProof(url, tokens.header, soon()), { code: 'ECONNREFUSED' });
});

test('a client shows its token to nobody who took the port of its supervisor', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-proven-'));
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, tokens.header);
  const endpoint = await open({ tokens });
  const { url, port } = endpoint;
  await using connection = await openConnection({ url, tokenFile, name: 'job 17' });
  const retrieve = () =>
    askRetrieve(connection, { query: 'q', topk: 1, filter: undefined, signal: AbortSignal.timeout(5000) });
  assert.equal((await retrieve()).length, 1);
  await endpoint[Symbol.asyncDispose]();
  await using impostor = await startImpostor(port);
  await assert.rejects(retrieve(), { code: 'service-failed' });
  assert.deepEqual(impostor.heard, ['GET /proof?nonce ']);
});

const relay = join(import.meta.dirname, '../../src/services/remote/relay.ts');

test('the relay shows its token and its questions to nobody who took the port, and ends', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-proven-'));
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, tokens.header);
  const endpoint = await open({ tokens });
  const socketPath = join(folder.path, 'relay.sock');
  const child = spawn(process.execPath, [relay, socketPath], {
    env: { RAG_RELAY_URL: endpoint.url, RAG_RELAY_TOKEN_FILE: tokenFile },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const retrieve = () =>
    ask(
      { socketPath, path: '/retrieve', method: 'POST', headers: { 'content-type': 'application/json' } },
      '{"queries":["secret"],"topk":1}',
    );
  let first = await retrieve().catch(() => undefined);
  for (let tries = 0; first === undefined && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    first = await retrieve().catch(() => undefined);
  }
  assert.match(first?.text ?? said, /Text of secret/);
  await endpoint[Symbol.asyncDispose]();
  await using impostor = await startImpostor(endpoint.port);
  await retrieve().catch(() => undefined);
  assert.deepEqual(await ended, [1, null]);
  assert.match(said, /is gone: .*does not prove/);
  assert.deepEqual(impostor.heard, ['GET /proof?nonce ']);
});
