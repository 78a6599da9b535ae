import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { chooseAddress } from '../../../src/machine/address.ts';
import { proofOf } from '../../../src/disk/token-proof.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { type Answer, ask, open } from '../open.ts';

const tokens = makeTokens();

/** From an address whose user is not known, as from another node. */
const stranger = (port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask({ host: '127.0.0.1', port, path, headers, localAddress: '127.0.0.2' });

test('a header token opens everything to a stranger, a wrong one nothing', async () => {
  await using endpoint = await open({ tokens });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await stranger(endpoint.port, '/status', headers)).status;
  assert.equal(await status({}), 401);
  assert.equal(await status({ authorization: `Bearer ${tokens.url}` }), 401);
  assert.equal(await status({ authorization: `Bearer ${tokens.header}x` }), 401);
  assert.equal(await status({ authorization: `Bearer ${tokens.header}` }), 200);
  assert.equal(await status({ authorization: `bearer  ${tokens.header}`, host: 'node17:4000' }), 200);
  assert.equal(
    await status({ authorization: `Bearer ${tokens.header}`, origin: 'https://example.org' }),
    403,
  );
});

test('a token in the address opens models and retrieval, and nothing else', async () => {
  await using endpoint = await open({ tokens });
  const answer = (path: string): Promise<Answer> => stranger(endpoint.port, path);
  assert.equal((await answer(`/t/${tokens.url}/healthz`)).status, 200);
  assert.equal((await answer(`/t/${tokens.url}`)).status, 200);
  assert.equal((await answer(`/t/${tokens.url}/status`)).status, 403);
  assert.equal((await answer(`/t/${tokens.url}//status`)).status, 403);
  assert.equal((await answer(`/t/${tokens.url}/healthz/../status`)).status, 403);
  assert.equal((await answer(`/t/${tokens.header}/healthz`)).status, 401);
  assert.equal((await answer('/t/guess/healthz')).status, 401);
  const { status, text } = await ask(
    {
      host: '127.0.0.1',
      port: endpoint.port,
      path: `/t/${tokens.url}/retrieve`,
      method: 'POST',
      localAddress: '127.0.0.2',
      headers: { 'content-type': 'application/json' },
    },
    JSON.stringify({ queries: ['q'], topk: 1 }),
  );
  assert.deepEqual([status, text.includes('Text of q')], [200, true]);
});

test('a refusal does not repeat the token', async () => {
  await using endpoint = await open({ tokens });
  for (const path of [`/t/${tokens.url}/status`, `/t/${tokens.url}/%zz`, `/t/${tokens.url}/no-such-route`]) {
    const { status, text } = await stranger(endpoint.port, path);
    assert.ok(status >= 400);
    assert.ok(!text.includes(tokens.url), text);
  }
});

test('the owner on this node needs no token, and a word that is none does not lock him out', async () => {
  await using endpoint = await open({ tokens });
  const get = (headers: Record<string, string>): Promise<Answer> =>
    ask({ host: '127.0.0.1', port: endpoint.port, path: '/status', headers });
  assert.equal((await get({})).status, 200);
  assert.equal((await get({ authorization: 'Bearer ollama' })).status, 200);
});

test('who knows the token can tell the supervisor from whatever else has its port, without showing it', async () => {
  await using endpoint = await open({ tokens });
  const nonce = 'ab'.repeat(16);
  const { status, text } = await stranger(endpoint.port, `/proof?nonce=${nonce}`);
  assert.equal(status, 200);
  const address = `127.0.0.1:${endpoint.port}`;
  assert.deepEqual(JSON.parse(text), { proof: proofOf(tokens.header, nonce, address) });
  assert.notEqual(proofOf(tokens.header, nonce, '127.0.0.1:1'), proofOf(tokens.header, nonce, address));
  assert.equal((await stranger(endpoint.port, '/proof?nonce=short')).status, 400);
  assert.equal((await stranger(endpoint.port, '/proof')).status, 400);
  assert.equal((await stranger(endpoint.port, '/proof?x/../status')).status, 400);
});

test('without tokens nothing opens', async () => {
  await using endpoint = await open();
  assert.equal(
    (await stranger(endpoint.port, '/healthz', { authorization: 'Bearer undefined' })).status,
    401,
  );
  assert.equal((await stranger(endpoint.port, '/t/undefined/healthz')).status, 401);
});

const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test(
  'bound to the address of the node it asks for a token there, and still serves loopback',
  { skip: !outward },
  async () => {
    await using endpoint = await open({ tokens, host: outward ?? '' });
    const at = (host: string, headers: Record<string, string> = {}): Promise<Answer> =>
      ask({ host, port: endpoint.port, path: '/status', headers });
    assert.equal(endpoint.url, `http://${outward}:${endpoint.port}`);
    assert.equal((await at(outward ?? '')).status, 401);
    assert.equal((await at(outward ?? '', { authorization: `Bearer ${tokens.header}` })).status, 200);
    assert.equal((await at('127.0.0.1')).status, 200);
  },
);

test('the address of a node is what its name says, unless that is loopback', () => {
  const own = [
    { address: '127.0.0.1', family: 'IPv4', internal: true },
    { address: 'fe80::1', family: 'IPv6', internal: false },
    { address: '192.168.1.5', family: 'IPv4', internal: false },
    { address: '10.0.0.5', family: 'IPv4', internal: false },
  ] as const;
  assert.equal(chooseAddress(['10.0.0.5'], own), '10.0.0.5');
  assert.equal(chooseAddress(['127.0.1.1'], own), '192.168.1.5');
  assert.equal(chooseAddress(['10.9.9.9'], own), '192.168.1.5');
  assert.equal(chooseAddress([], own.slice(0, 2)), undefined);
  const both = [{ address: '2001:db8::5', family: 'IPv6', internal: false } as const, ...own];
  assert.equal(chooseAddress(['2001:db8::5', '10.0.0.5'], both), '10.0.0.5', 'what all programs can use');
  assert.equal(chooseAddress(['2001:db8::5'], both), '2001:db8::5');
});
