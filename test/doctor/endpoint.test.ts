import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lookAtEndpoint } from '../../src/doctor/endpoint.ts';
import type { Finding, Patient } from '../../src/doctor/types.ts';
import { makeTokens } from '../../src/serve/access/tokens.ts';
import { watchLeaks } from '../leaks.ts';
import { open } from '../serve/open.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const tokens = makeTokens();

/** What is found of a file. */
async function look(file: object): Promise<Finding | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-doctor-'));
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, tokens.header);
  const published = {
    host: '127.0.0.1',
    port: 9,
    job_id: '17',
    node: 'node1',
    token_file: tokenFile,
    ...file,
  };
  await writeFile(join(folder.path, 'ollama_service.json'), JSON.stringify(published));
  const patient = {
    settings: { RAG_RUNTIME_STATE: folder.path },
    job: { node: 'node1' },
    signal: AbortSignal.timeout(5000),
  } as unknown as Patient;
  return (await lookAtEndpoint(patient))[0];
}

const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test('a service that proves to be it is asked whether it is ready, with its token', async () => {
  let ready = true;
  const host = outward ?? '127.0.0.1';
  await using endpoint = await open({ tokens, host, readiness: () => ({ ready, missing: [] }) });
  const { url } = endpoint;
  const well = await look({ url });
  assert.deepEqual([well?.state, well?.what.includes(`job 17 on node1 is ready at ${url}`)], ['ok', true]);
  ready = false;
  const unwell = await look({ url });
  assert.deepEqual([unwell?.state, unwell?.what.endsWith(`answers at ${url} with 503`)], ['warning', true]);
});

test('another program that has the port and says yes to everything is not ready', async () => {
  const heard: (string | undefined)[] = [];
  const impostor = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.end('{"ready":true}');
  }).listen(0, '127.0.0.1');
  await once(impostor, 'listening');
  const { port } = impostor.address() as { port: number };
  const found = await look({ port });
  impostor.closeAllConnections();
  impostor.close();
  await once(impostor, 'close');
  assert.equal(found?.state, 'warning', found?.what);
  assert.match(found.what, /what answers at .* is not job 17 on node1/);
  assert.deepEqual(heard, [undefined]);
});

test('a service of another node is not looked for here', async () => {
  const found = await look({ node: 'node2' });
  assert.equal(found?.state, 'ok');
  assert.match(found.what, /job 17 on node2; it listens on that node only: ssh -L 9:127\.0\.0\.1:9 node2$/);
});
