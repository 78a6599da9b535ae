import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Caller, judge } from '../../../src/serve/access/who-may.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { ask, open } from '../open.ts';

const owner = 1000;
const local = 'localhost:4000';
const caller: Caller = {
  peer: { via: 'tcp', uid: owner },
  grant: 'nothing',
  method: 'POST',
  path: '/query',
  origin: undefined,
  host: local,
};
const elsewhere = { via: 'tcp', uid: undefined } as const;
const socket = { via: 'socket' } as const;
const page = (site: string, dest = 'empty') => ({ site, dest });

const table: readonly [string, Partial<Caller>, number | undefined][] = [
  ['the owner', {}, undefined],
  ['the owner at 127.0.0.1 and at [::1]', { host: '127.0.0.1:1' }, undefined],
  ['the owner at [::1]', { host: '[::1]' }, undefined],
  ['the owner by the socket, without a Host', { peer: socket, host: undefined }, undefined],
  ['another user', { peer: { via: 'tcp', uid: 1001 } }, 401],
  ['root', { peer: { via: 'tcp', uid: 0 } }, 401],
  ['who is not known', { peer: elsewhere }, 401],
  ['who holds the header token', { peer: elsewhere, grant: 'everything', host: 'node17:4000' }, undefined],
  [
    'who holds the URL token, here',
    { peer: elsewhere, grant: 'models', path: '/retrieve', host: 'node17' },
    undefined,
  ],
  ['who holds the URL token, elsewhere', { peer: elsewhere, grant: 'models' }, 403],
  ['the owner, with a URL token', { grant: 'models' }, undefined],

  ['a name that was made to point here', { host: 'evil.example:4000' }, 403],
  ['one that begins like ours', { host: 'localhost.evil.example' }, 403],
  ['one that ends like ours', { host: 'evil-localhost' }, 403],
  ['no name at all', { host: undefined }, 403],

  ['a page of ours', { origin: 'http://localhost:4000' }, undefined],
  [
    'a page of ours by the socket, through a tunnel',
    { peer: socket, origin: 'http://localhost:4000' },
    undefined,
  ],
  ['a page of another port of this node', { origin: 'http://localhost:4001' }, 403],
  ['a page of another name of this node', { origin: 'http://127.0.0.1:4000' }, 403],
  ['a page by another scheme', { origin: 'https://localhost:4000' }, 403],
  ['a page that hides where it is from', { origin: 'null' }, 403],
  ['a page of a foreign place', { origin: 'https://example.org' }, 403],
  [
    'a page of a name that was made to point here: its Origin equals its Host',
    { host: 'evil.example:4000', origin: 'http://evil.example:4000' },
    403,
  ],
  [
    'the same with a URL token, which stands in addresses',
    { grant: 'models', path: '/retrieve', host: 'node17:4000', origin: 'http://node17:4000' },
    403,
  ],
  [
    'a page of ours by the name of the node, with the header token',
    { peer: elsewhere, grant: 'everything', host: 'node17:4000', origin: 'http://node17:4000' },
    undefined,
  ],
  [
    'a foreign page with the header token',
    { peer: elsewhere, grant: 'everything', host: 'node17:4000', origin: 'http://example.org' },
    403,
  ],
  [
    'a page of ours of another user',
    { peer: { via: 'tcp', uid: 1001 }, origin: 'http://localhost:4000' },
    401,
  ],

  ['what a page of ours loads', { method: 'GET', fetch: page('same-origin', 'script') }, undefined],
  ['an address that was typed', { method: 'GET', path: '/', fetch: page('none', 'document') }, undefined],
  [
    'a link that was followed',
    { method: 'GET', path: '/', fetch: page('cross-site', 'document') },
    undefined,
  ],
  ['a picture in a foreign page', { method: 'GET', fetch: page('cross-site', 'image') }, 403],
  ['a script in a page of another port', { method: 'GET', fetch: page('same-site', 'script') }, 403],
  ['a frame in a foreign page', { method: 'GET', path: '/', fetch: page('cross-site', 'iframe') }, 403],
  ['a form of a foreign page, without its Origin', { fetch: page('cross-site', 'document') }, 403],
];

for (const [who, how, status] of table)
  test(`judge() ${status === undefined ? 'lets in' : `answers ${status} to`} ${who}`, () => {
    assert.equal(judge({ ...caller, ...how }, owner)?.status, status);
  });

test('a page of this service may ask on every route, a page of another place on none', async () => {
  await using endpoint = await open({ tokens: makeTokens() });
  const host = `127.0.0.1:${endpoint.port}`;
  const ask403 = async (headers: Record<string, string>): Promise<number> => {
    const path = '/retrieve';
    const asked = {
      host: '127.0.0.1',
      port: endpoint.port,
      path,
      method: 'POST',
      headers: { host, 'content-type': 'application/json', ...headers },
    };
    return (await ask(asked, '{"queries":[]}')).status;
  };
  assert.equal(await ask403({ origin: `http://${host}` }), 200);
  assert.equal(await ask403({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }), 200);
  assert.equal(await ask403({ origin: `http://${host}`, host: `LOCALHOST:${endpoint.port}` }), 403);
  assert.equal(
    await ask403({ origin: `http://localhost:${endpoint.port}`, host: `LOCALHOST:${endpoint.port}` }),
    200,
  );
  assert.equal(await ask403({ origin: 'http://127.0.0.1' }), 403);
  assert.equal(await ask403({ 'sec-fetch-site': 'cross-site' }), 403);
  const preflight = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
  const { status, headers } = await ask({
    host: '127.0.0.1',
    port: endpoint.port,
    path: '/retrieve',
    method: 'OPTIONS',
    headers: preflight,
  });
  assert.deepEqual([status, headers['access-control-allow-origin']], [403, undefined]);
});

test('on the Ollama and OpenAI routes, where any type of body will do, a form of a page is refused by its Origin', async () => {
  await using endpoint = await open();
  for (const path of ['/api/chat', '/v1/chat/completions', '/api/pull']) {
    const headers = { origin: 'https://example.org', 'content-type': 'text/plain' };
    const { status } = await ask(
      { host: '127.0.0.1', port: endpoint.port, path, method: 'POST', headers },
      '{}',
    );
    assert.equal(status, 403);
  }
});
