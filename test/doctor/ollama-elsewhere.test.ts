import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { lookElsewhere } from '../../src/doctor/ollama-elsewhere.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const look = (host: string) =>
  lookElsewhere(
    {
      settings: {
        OLLAMA_HOST: host,
        RAG_RUNTIME_STATE: '/nowhere',
      },
      job: { node: 'node1' },
      signal: AbortSignal.timeout(20_000),
    } as unknown as Parameters<typeof lookElsewhere>[0],
    ['embedder', 'generator:7b'],
  );

test('a server elsewhere is asked for its models; one that is not there, or publishes nothing, is a warning', async () => {
  const server = createServer((request, response) => {
    const models = [{ name: 'embedder:latest' }, { name: 'other:1b' }];
    response.end(JSON.stringify(request.url === '/api/tags' ? { models } : { version: '0.21.3' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const found = await look(`127.0.0.1:${port}`);
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  assert.deepEqual(
    found.map(({ state, what }) => [state, what]),
    [
      ['ok', `OLLAMA_HOST=http://127.0.0.1:${port} answers`],
      ['ok', 'embedder is there'],
      ['failure', 'generator:7b is not there: it has embedder:latest, other:1b'],
    ],
  );
  const [gone] = await look(`127.0.0.1:${port}`);
  assert.equal(gone?.state, 'warning');
  assert.match(gone.what, /nothing answers there/);
  const [unpublished] = await look('published');
  assert.equal(unpublished?.state, 'warning');
  assert.match(unpublished.what, /there is no \/nowhere\/ollama_service\.json/);
});
