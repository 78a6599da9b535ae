/** Who is not the owner, on every route and by every way: another user of this node, in a process of his own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { routes } from '../../src/serve/contract/table.ts';
import { type EndpointEvent, type EndpointOptions } from '../../src/serve/serve.ts';
import { makeTokens } from '../../src/serve/access/tokens.ts';
import { answer, ollamaOf, upstream } from './model-servers.ts';
import { hit, open } from './open.ts';

const skip = process.getuid?.() === 0 ? false : 'another user can be had by root only';
const nobody = 65_534;
const tokens = makeTokens();

type Asked = readonly [method: string, path: string];

/** What a URL token opens. */
const forModels: readonly Asked[] = [
  ['GET', '/'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['POST', '/retrieve'],
  ['POST', '/rerank'],
  ['POST', '/v1/rerank'],
  ['POST', '/v2/rerank'],
  ['GET', '/api/tags'],
  ['GET', '/api/ps'],
  ['GET', '/api/version'],
  ['HEAD', '/api/version'],
  ['POST', '/api/show'],
  ['POST', '/api/chat'],
  ['POST', '/api/generate'],
  ['POST', '/api/embed'],
  ['POST', '/api/embeddings'],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/writer:7b'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/completions'],
  ['POST', '/v1/embeddings'],
];
const forHolders: readonly Asked[] = [
  ['GET', '/status'],
  ['POST', '/query'],
  ['POST', '/query/stream'],
  ['POST', '/api/pull'],
  ['DELETE', '/api/delete'],
  ['GET', '/none'],
  ['OPTIONS', '/retrieve'],
];
const all = [...forModels, ...forHolders];

/** As uid 65534, with nothing but these requests: the status of each, and what it said. */
async function asNobody(
  url: string,
  asked: readonly (Asked | readonly [string, string, object])[],
): Promise<{ status: number; text: string }[]> {
  const program = `const out = [];
  for (const [method, path, headers] of ${JSON.stringify(asked)}) {
    const body = method === 'POST' ? '{"model":"writer:7b","queries":["q"],"query":"q","documents":[],"prompt":"x","input":"x","messages":[{"role":"user","content":"x"}]}' : undefined;
    const answer = await fetch('${url}' + path, { method, body, headers: { 'content-type': 'application/json', ...headers } });
    out.push({ status: answer.status, text: await answer.text() });
  }
  console.log(JSON.stringify(out));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    uid: nobody,
    gid: nobody,
    cwd: '/',
  });
  return JSON.parse(stdout) as { status: number; text: string }[];
}

/** A job with all that there is, that answers. */
async function openAll(options: Partial<EndpointOptions> = {}) {
  const server = await upstream((request, response) =>
    request.method === 'GET'
      ? response.end('{"models":[{"name":"writer:7b"}],"version":"0.33.0"}')
      : answer(response, '{"message":{"content":"a"},"response":"a","embeddings":[[1]],"done":true}'),
  );
  const endpoint = await open({
    tokens,
    ollama: ollamaOf({ generate: server.url }),
    reranker: { rerank: () => Promise.resolve([]), model: 'none' },
    work: {
      retrieve: ({ queries }) => Promise.resolve(queries.map((query) => [hit(query)])),
      query: () => Promise.reject(new Error('not asked for')),
    },
    ...options,
  });
  return {
    ...endpoint,
    async [Symbol.asyncDispose]() {
      await endpoint[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test(
  'without a token every route is closed, one that is not there too, and says nothing but that',
  { skip },
  async () => {
    const events: EndpointEvent[] = [];
    await using endpoint = await openAll({ onEvent: (event) => events.push(event) });
    const answers = await asNobody(endpoint.url, all);
    for (const [at, { status, text }] of answers.entries()) {
      assert.equal(status, 401, String(all[at]));
      assert.ok(!text.includes('writer'), text);
    }
    assert.equal(events.filter(({ kind }) => kind === 'refused').length, all.length);
  },
);

test(
  'every route of the contract is closed to him, and to the URL token unless the contract opens it',
  { skip },
  async () => {
    await using endpoint = await openAll();
    const contract = routes.map(({ method, path, who }) => ({
      asked: [method, path.replaceAll(/:\w+|\*/g, 'x')] as const,
      who,
    }));
    const without = await asNobody(
      endpoint.url,
      contract.map(({ asked }) => asked),
    );
    const withToken = await asNobody(
      endpoint.url,
      contract.map(({ asked: [method, path] }) => [method, `/t/${tokens.url}${path}`] as const),
    );
    for (const [at, { asked, who }] of contract.entries()) {
      assert.equal(without[at]?.status === 401, who !== 'anyone', asked.join(' '));
      if (who === 'everything') assert.equal(withToken[at]?.status, 403, asked.join(' '));
      else assert.notEqual(withToken[at]?.status, 401, asked.join(' '));
    }
  },
);

test(
  'wrong tokens open nothing: of another run, cut, of the wrong kind, in the wrong place',
  { skip },
  async () => {
    await using endpoint = await openAll();
    const other = makeTokens();
    const wrong = [
      ...[other.header, tokens.header.slice(1), `${tokens.header}=`, tokens.url, 'undefined', ''].map(
        (token) => ['POST', '/retrieve', { authorization: `Bearer ${token}` }] as const,
      ),
      ['POST', '/retrieve', { authorization: `Basic ${tokens.header}` }] as const,
      ['POST', '/retrieve', { 'x-api-key': tokens.header, cookie: `token=${tokens.header}` }] as const,
      ...[other.url, tokens.header, tokens.url.slice(1), 'undefined', '%00'].map(
        (token) => ['POST', `/t/${token}/retrieve`] as const,
      ),
      ['POST', `/retrieve?token=${tokens.url}`] as const,
      ['POST', `/T/${tokens.url}/retrieve`] as const,
      ['POST', `//t/${tokens.url}/retrieve`] as const,
      ['POST', `/x/t/${tokens.url}/retrieve`] as const,
    ];
    const answers = await asNobody(endpoint.url, wrong);
    assert.deepEqual(
      answers.map(({ status }) => status),
      wrong.map(() => 401),
    );
  },
);

test(
  'the URL token opens models and retrieval, and no other route, however its path is written',
  { skip },
  async () => {
    await using endpoint = await openAll();
    const byToken = (asked: readonly Asked[]): Asked[] =>
      asked.map(([method, path]) => [method, `/t/${tokens.url}${path}`]);
    for (const [at, { status, text }] of (await asNobody(endpoint.url, byToken(forModels))).entries())
      assert.ok([200, 400].includes(status), `${forModels[at]?.join(' ')}: ${status} ${text}`);
    const disguised: Asked[] = [
      ['GET', '//status'],
      ['GET', '/st%61tus'],
      ['GET', '/status?x=/healthz'],
      ['GET', '/status#/healthz'],
      ['GET', '/healthz/../status'],
      ['GET', '/healthz/%2e%2e/status'],
      ['GET', '/healthz;/status'],
      ['GET', '/Status'],
      ['GET', '/v1/models/../../none'],
      ['GET', `/t/${tokens.url}/status`],
      ['POST', '/api/chat/../pull'],
      ['DELETE', '/v1/models/writer:7b'],
    ];
    for (const [at, { status, text }] of (
      await asNobody(endpoint.url, byToken([...forHolders, ...disguised]))
    ).entries()) {
      assert.equal(status, 403, `${[...forHolders, ...disguised][at]?.join(' ')}: ${text}`);
      assert.ok(!text.includes(tokens.url), text);
    }
  },
);

test('the header token opens every route, by any name of this node', { skip }, async () => {
  await using endpoint = await openAll();
  const asked = all.map(
    ([method, path]) => [method, path, { authorization: `Bearer ${tokens.header}` }] as const,
  );
  for (const [at, { status }] of (await asNobody(endpoint.url, asked)).entries())
    assert.ok(![401].includes(status), all[at]?.join(' '));
  const forbidden = (await asNobody(endpoint.url, asked)).flatMap(({ status }, at) =>
    status === 403 ? [all[at]?.[1]] : [],
  );
  assert.deepEqual(forbidden, ['/api/pull', '/api/delete'], 'which nobody may');
});

test('neither a token nor a page of his own gives another user what it does not open', { skip }, async () => {
  await using endpoint = await openAll();
  const own = endpoint.url;
  const asked = [
    ['GET', '/status', { origin: own }],
    ['GET', `/t/${tokens.url}/status`, { origin: own }],
    ['POST', `/t/${tokens.url}/retrieve`, { origin: 'https://example.org' }],
    ['POST', '/retrieve', { authorization: `Bearer ${tokens.header}`, origin: 'https://example.org' }],
    ['POST', '/retrieve', { authorization: `Bearer ${tokens.header}`, origin: own }],
  ] as const;
  assert.deepEqual(
    (await asNobody(own, asked)).map(({ status }) => status),
    [401, 403, 403, 403, 200],
  );
});

test('no token stands in what is refused, logged or answered', { skip }, async () => {
  const events: EndpointEvent[] = [];
  await using endpoint = await openAll({ onEvent: (event) => events.push(event) });
  const strange: readonly (Asked | readonly [string, string, object])[] = [
    ['GET', `/t/${tokens.url}/status`],
    ['GET', `/t/${tokens.url}/%zz`],
    ['GET', `/t/${tokens.url}/t/${tokens.url}/status`],
    ['GET', `//t/${tokens.url}/none`],
    ['GET', `/none/t/${tokens.url}/none`, { authorization: `Bearer ${tokens.header}` }],
    ['GET', `/t/${tokens.url}/none`, { authorization: `Bearer ${tokens.header}` }],
    ['POST', `/t/${tokens.url}/api/pull`, { authorization: `Bearer ${tokens.header}` }],
    ['POST', `/t/${tokens.url}/query`, { authorization: `Bearer ${tokens.header}` }],
  ];
  const answers = await asNobody(endpoint.url, strange);
  assert.ok(answers.every(({ status }) => status >= 400));
  assert.ok(events.length > 0);
  const said = JSON.stringify([answers, events]);
  for (const token of [tokens.url, tokens.header]) assert.ok(!said.includes(token), said);
});
