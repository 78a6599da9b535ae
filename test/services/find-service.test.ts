import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeOwner } from '../../src/disk/owner.ts';
import { makeTokens } from '../../src/serve/access/tokens.ts';
import { findService, type FoundService } from '../../src/services/find-service.ts';
import { watchLeaks } from '../leaks.ts';
import { open } from '../serve/open.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const tokens = makeTokens();
const soon = (): AbortSignal => AbortSignal.timeout(5000);

/** Publishes, and looks from node1. */
async function looking(
  file: object,
  job?: string,
): Promise<{ readonly found: Promise<FoundService> } & AsyncDisposable> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rag-find-'));
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, `${tokens.header}\n`);
  const published = { host: '127.0.0.1', port: 9, job_id: '17', token_file: tokenFile, ...file };
  await writeFile(join(folder.path, 'ollama_service.json'), JSON.stringify(published));
  const found = findService({ folder: folder.path, node: 'node1', job }, soon());
  found.catch(() => undefined);
  return { found, [Symbol.asyncDispose]: () => folder.remove() };
}

const elsewhere = { ...makeOwner(), place: 'another-boot pid:[1]' };

test('a service that listens on loopback of another node is not asked, whoever has that port here', async () => {
  let connections = 0;
  const server = createServer(() => (connections += 1)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (const file of [
    { port, node: 'node2' },
    { port, node: 'node2', url: `http://localhost:${port}` },
    { port, node: 'node2', url: `http://[::1]:${port}` },
    { port, node: 'node1', owner: elsewhere },
  ]) {
    await using look = await looking(file);
    await assert.rejects(look.found, {
      code: 'preflight',
      message: new RegExp(`job 17 on ${file.node} listens on its own node only, RAG_BIND=node is wanted`),
    });
  }
  server.close();
  await once(server, 'close');
  assert.equal(connections, 0);
});

test('who is told to stop while a service is silent has not found that there is none', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-find-'));
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, tokens.header);
  const published = { host: '127.0.0.1', port, job_id: '17', token_file: tokenFile, node: 'node1' };
  await writeFile(join(folder.path, 'ollama_service.json'), JSON.stringify(published));
  const told = new AbortController();
  const reason = new Error('told to stop');
  const [asking] = await Promise.all([
    once(silent, 'connection').then(([socket]) => {
      told.abort(reason);
      return socket as Socket;
    }),
    assert.rejects(findService({ folder: folder.path, node: 'node1' }, told.signal), reason),
  ]);
  asking.destroy();
  silent.close();
  await once(silent, 'close');
});

test('the node itself is known by its boot, whatever it is called, and else by its name', async () => {
  await using endpoint = await open({ tokens });
  const { port, url } = endpoint;
  for (const file of [{ node: 'node1' }, { node: 'node2', owner: makeOwner() }, {}]) {
    await using look = await looking({ port, ...file });
    assert.equal((await look.found).url, url);
  }
});

test('over IPv6 a service proves itself as well', async () => {
  await using endpoint = await open({ tokens, host: '::1' });
  await using look = await looking({ url: endpoint.url });
  assert.equal((await look.found).url, `http://[::1]:${endpoint.port}`);
});

test('who wants the service of one job is not given that of another', async () => {
  await using endpoint = await open({ tokens });
  const { port } = endpoint;
  await using another = await looking({ port, job: '17' }, '18');
  await assert.rejects(another.found, {
    code: 'preflight',
    message: /of job 17 .*, one of job 18 is wanted/,
  });
  for (const [file, job] of [
    [{}, '17'],
    [{ task: '3' }, '17_3'],
    [{ job: '15_2' }, '15_2'],
  ] as const) {
    await using look = await looking({ port, ...file }, job);
    assert.match((await look.found).name, /^job 17 on /);
  }
});

test('a file whose address is none is no endpoint file', async () => {
  await using look = await looking({ url: 'nowhere' });
  await assert.rejects(look.found, { code: 'preflight', message: /is no endpoint file/ });
});
