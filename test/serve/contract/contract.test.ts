/** The table of routes against the endpoint: every route is in it, means what it says and says who may. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { RagError } from '../../../src/errors.ts';
import { documentPath, openApiDocument } from '../../../src/serve/contract/document.ts';
import type { OpenApi } from '../../../src/serve/contract/openapi.ts';
import type { RouteContract } from '../../../src/serve/contract/route.ts';
import { routes, whoMay } from '../../../src/serve/contract/table.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { version } from '../../../src/version.ts';
import { type Answer, ask, open, post } from '../open.ts';
import { promisesOf, type Said } from './promises.ts';

const document = openApiDocument(version());
const promises = promisesOf(document);

/** `METHOD path` of everything that the endpoint routes; HEAD comes with GET. */
async function routed(): Promise<string[]> {
  const found = new Set<string>();
  const listen = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, path }: RouteOptions & { path: string }) => {
      const methods = [method].flat();
      const any = methods.includes('PATCH');
      for (const each of any ? ['any'] : methods.filter((name) => name !== 'HEAD'))
        found.add(`${each} ${path}`);
    });
  };
  subscribe('fastify.initialization', listen);
  try {
    await (await open())[Symbol.asyncDispose]();
  } finally {
    unsubscribe('fastify.initialization', listen);
  }
  return [...found].sort();
}

test('every route of the endpoint is in the table, and none is there that it does not have', async () => {
  const named = routes.map(({ method, anyMethod, path }) => `${anyMethod === true ? 'any' : method} ${path}`);
  assert.deepEqual(await routed(), named.sort(), 'src/serve/contract/table.ts');
});

test('the document is valid OpenAPI 3.1, and served as it is committed', async () => {
  const { valid, errors } = await new Validator().validate(
    structuredClone(document) as Record<string, unknown>,
  );
  assert.ok(valid, JSON.stringify(errors));
  await using endpoint = await open();
  const served = (await (await fetch(`${endpoint.url}/openapi.json`)).json()) as OpenApi;
  assert.deepEqual(served, document);
  const committed = readFileSync(join(import.meta.dirname, '../../../docs/openapi.json'), 'utf8');
  assert.deepEqual(JSON.parse(committed), document, 'node scripts/make-docs.ts');
});

test('operations have names of their own, and examples are what their schemas want', () => {
  const ids = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  );
  assert.equal(new Set(ids).size, routes.length);
  for (const { method, path, body } of routes)
    if (body?.type === 'application/json') {
      assert.ok(body.example !== undefined, `${path} has no example`);
      assert.equal(promises.wrongBody(method, documentPath(path), body.example), undefined, path);
    }
});

test('a route with another shape than its table says is noticed', () => {
  const said = { status: 200, type: 'application/json', text: '{"status":"ok"}' };
  const broken = (path: string, more: Partial<Said>): string | undefined =>
    promises.brokenBy('GET', path, { ...said, ...more });
  assert.equal(broken('/healthz', {}), undefined);
  assert.match(broken('/healthz', { text: '{"status":"ok","more":1}' }) ?? '', /additional properties/);
  assert.match(broken('/healthz', { text: '{"status":"well"}' }) ?? '', /constant/);
  assert.match(broken('/healthz', { status: 418 }) ?? '', /no 418/);
  assert.match(broken('/healthz', { type: 'text/html' }) ?? '', /type text\/html/);
  assert.match(broken('/healthz', { text: '{' }) ?? '', /no JSON/);
});

test('what a URL token opens is a short list', () => {
  const opened = routes.filter(({ who }) => who === 'models').map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(opened.sort(), [
    'GET /',
    'GET /api/ps',
    'GET /api/tags',
    'GET /api/version',
    'GET /healthz',
    'GET /openapi.json',
    'GET /readyz',
    'GET /v1/models',
    'GET /v1/models/*',
    'POST /api/chat',
    'POST /api/embed',
    'POST /api/embeddings',
    'POST /api/generate',
    'POST /api/show',
    'POST /batch_search',
    'POST /rerank',
    'POST /retrieve',
    'POST /search',
    'POST /v1/chat/completions',
    'POST /v1/completions',
    'POST /v1/embeddings',
    'POST /v1/rerank',
    'POST /v2/rerank',
  ]);
});

test('whoMay() knows a route by its method and its very path', () => {
  assert.equal(whoMay('GET', '/api/tags?x=1'), 'models');
  assert.equal(whoMay('HEAD', '/'), 'models');
  assert.equal(whoMay('GET', '/proof?nonce=x'), 'anyone');
  for (const [method, path] of [
    ['POST', '/api/tags'],
    ['GET', '/retrieve'],
    ['POST', '/retrieve/'],
    ['POST', '//retrieve'],
    ['POST', '/%72etrieve'],
    ['POST', '/retrieve/../status'],
    ['POST', '/proof'],
    ['GET', '/none'],
    ['GET', '/status'],
    ['POST', '/api/pull'],
    ['GET', '/openapiXjson'],
  ] as const)
    assert.equal(whoMay(method, path), 'everything', `${method} ${path}`);
});

test('each route is open to whom its table says: without a token, with a URL token, with the header token', async () => {
  const tokens = makeTokens();
  await using endpoint = await open({ tokens });
  /** From an address whose user is not known, as from another node. */
  const stranger = ({ method, body }: RouteContract, path: string, headers = {}): Promise<Answer> =>
    ask(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        path,
        method,
        localAddress: '127.0.0.2',
        headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      },
      body === undefined ? undefined : JSON.stringify(body.example),
    );
  for (const route of routes) {
    const path = route.path.replace('*', 'x').replaceAll(/:\w+/gu, 'x');
    const without = await stranger(route, path);
    assert.equal(without.status === 401, route.who !== 'anyone', `${path}: ${without.text}`);
    const withUrl = await stranger(route, `/t/${tokens.url}${path}`);
    const isClosed = withUrl.status === 403 && withUrl.text.includes('the token of an address');
    assert.equal(isClosed, route.who === 'everything', `${path}: ${withUrl.text}`);
    const withHeader = await stranger(route, path, { authorization: `Bearer ${tokens.header}` });
    assert.ok(withHeader.status !== 401 && !withHeader.text.includes('the token of an address'), path);
    // The state of a real job is another test's.
    if (path === '/status') continue;
    for (const { status, type, text } of [without, withUrl, withHeader])
      assert.equal(
        promises.brokenBy(route.method, documentPath(route.path), { status, type, text }),
        undefined,
        `${route.method} ${path}`,
      );
  }
});

const failing = (code: ConstructorParameters<typeof RagError>[0]) => async (): Promise<never> => {
  throw new RagError(code, 'Cannot do it: it failed, it should not', { hint: 'try again' });
};

test('what goes wrong is answered as promised', async () => {
  const check = async (answer: Response, method: string, path: string, status: number): Promise<void> => {
    const said = {
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      text: await answer.text(),
    };
    assert.equal(promises.brokenBy(method, path, said), undefined, `${method} ${path}`);
    assert.equal(said.status, status, said.text);
  };
  for (const [code, ofRetrieve, ofQuery] of [
    ['too-long', 422, 422],
    ['usage', 422, 422],
    ['model-refused', 502, 502],
    ['bug', 500, 500],
  ] as const) {
    await using endpoint = await open({ work: { retrieve: failing(code), query: failing(code) } });
    await check(await post(`${endpoint.url}/retrieve`, { queries: ['q'] }), 'POST', '/retrieve', ofRetrieve);
    await check(await post(`${endpoint.url}/query`, { query: 'q' }), 'POST', '/query', ofQuery);
    await check(await post(`${endpoint.url}/query/stream`, { query: 'q' }), 'POST', '/query/stream', ofQuery);
  }
  await using endpoint = await open({ readiness: () => ({ ready: false, missing: ['store'] }) });
  await check(await fetch(`${endpoint.url}/readyz`), 'GET', '/readyz', 503);
  await check(await fetch(`${endpoint.url}/proof?nonce=short`), 'GET', '/proof', 400);
  await check(await post(`${endpoint.url}/retrieve`, '{"queries":'), 'POST', '/retrieve', 422);
  await check(await post(`${endpoint.url}/query`, '{"query":'), 'POST', '/query', 400);
  await check(await post(`${endpoint.url}/query`, {}), 'POST', '/query', 422);
});
