/** A running service against its own OpenAPI document: what it answers is what it promises, whatever it is sent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OpenApi } from '../../src/serve/contract/openapi.ts';
import { promisesOf } from '../serve/contract/promises.ts';
import { fuzz } from './fuzz/run.ts';
import { type Service, startService } from './fuzz/service.ts';

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const documentOf = async (): Promise<OpenApi> =>
  (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApi;

const question = 'Which exit code means that a disk is full?';

/** Beside the examples of the document: what it takes to be answered with 200. */
const bodies: Readonly<Record<string, readonly object[]>> = {
  '/retrieve': [
    { queries: [question, 'GPU'], topk: 2 },
    { queries: [question], return_scores: false },
    { queries: [question], topk_rerank: 2, filter: { document: '**' } },
    { queries: [] },
  ],
  '/query': [{ query: question }, { query: 'Xyzzyqu plughv?', include_references: false }],
  '/query/stream': [{ query: question }],
  '/api/chat': [
    { model: 'embedded-extractive', messages: [{ role: 'user', content: 'q' }] },
    { model: 'embedded-extractive', messages: [{ role: 'user', content: 'q' }], stream: false },
  ],
  '/api/generate': [{ model: 'embedded-extractive', prompt: 'q', stream: false }],
  '/api/embed': [{ model: 'embedded-hashing', input: ['a', 'b'] }],
  '/api/show': [{ model: 'embedded-hashing' }],
};

test('each route answers as the document promises: its example, and what is answered with 200', async () => {
  const document = await documentOf();
  const promises = promisesOf(document);
  // The names of the dashboard's parts change with what is in them.
  const page = await (await fetch(service.url, { headers: { accept: 'text/html' } })).text();
  const part = /\/page\/([^"']+)/.exec(page)?.[1] ?? 'none';
  const pathOf = (path: string): string =>
    path.replaceAll(/\{\w+\}/gu, path.startsWith('/page/') ? part : 'x');
  const unanswered: string[] = [];
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, { requestBody, parameters = [] }] of Object.entries(operations)) {
      const example = requestBody?.content['application/json']?.example;
      const query = parameters.some(({ name }) => name === 'nonce') ? `?nonce=${'ab'.repeat(16)}` : '';
      const statuses: number[] = [];
      for (const body of [example, ...(bodies[path] ?? [])]) {
        const answer = await fetch(`${service.url}${pathOf(path)}${query}`, {
          method: method.toUpperCase(),
          ...(method !== 'get' && { headers: { 'content-type': 'application/json' } }),
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const said = {
          status: answer.status,
          type: answer.headers.get('content-type') ?? '',
          text: await answer.text(),
        };
        statuses.push(said.status);
        assert.equal(promises.brokenBy(method, path, said), undefined, `${method} ${path}`);
      }
      if (!statuses.includes(200)) unanswered.push(`${method} ${path}`);
    }
  // The engine of a dry run is no whole Ollama; a job refuses to change its models; the page's files have other tests.
  assert.deepEqual(
    unanswered.filter(
      (name) => !/\/v1\/|\/page\/|\/api\/(?:embeddings|pull|push|create|copy|delete|blobs)/.test(name),
    ),
    [],
  );
});

test('300 malformed requests are each refused in the promised form, and nothing of the service ends', async () => {
  const { findings, statuses } = await fuzz({ ...service, count: 300, seed: 20_261_122 });
  assert.deepEqual(findings, []);
  assert.ok((statuses['422'] ?? 0) > 50 && (statuses['200'] ?? 0) > 5, JSON.stringify(statuses));
  const { services } = (await (await fetch(`${service.url}/status`)).json()) as {
    services: { id: string; state: string; restarts: number }[];
  };
  for (const { id, state, restarts } of services) assert.deepEqual([id, state, restarts], [id, 'ready', 0]);
});
