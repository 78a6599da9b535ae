/** The dashboard's way through the endpoint: who gets it, with what headers, and nobody else anything of the job. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pageModules } from '../../../src/serve/routes/page-files.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import type { Served } from '../../../src/serve/stopwatch.ts';
import { examplePicture } from '../../page/example.ts';
import { ask, open, post } from '../open.ts';

const isRoot = process.getuid?.() === 0;
const source = join(import.meta.dirname, '../../../src/page');
const built = join(import.meta.dirname, '../../../dist/page');
const needsBuild = { skip: existsSync(join(built, 'browser/main.js')) ? false : 'npm run build first' };

const page = { picture: (seen: string) => examplePicture({ seen }), metrics: async () => 'rag_phase 1\n' };
const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

test(
  'a browser gets the dashboard, Ollama and curl the plain word, and neither is kept',
  needsBuild,
  async () => {
    await using endpoint = await open({ page });
    const seen = await fetch(endpoint.url, { headers: html });
    assert.match(seen.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(await seen.text(), /Job 48151/);
    assert.equal(seen.headers.get('cache-control'), 'no-store');
    for (const accept of ['*/*', 'application/json', 'text/plain']) {
      const answer = await fetch(endpoint.url, { headers: { accept } });
      assert.equal(await answer.text(), 'rag-allinone is running\n', accept);
      assert.equal(answer.headers.get('vary'), 'Accept');
    }
    assert.equal((await fetch(endpoint.url, { method: 'HEAD', headers: html })).status, 200);
  },
);

test('what a browser gets may load and run only what comes from here', needsBuild, async () => {
  await using endpoint = await open({ page });
  const text = await (await fetch(endpoint.url, { headers: html })).text();
  const script = /<script type="module" src="([^"]+)">/.exec(text)?.[1] ?? assert.fail();
  for (const path of ['/', '/picture', script]) {
    const { headers, status } = await fetch(endpoint.url + path, { headers: html });
    assert.equal(status, 200);
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ])
      assert.ok(policy.includes(rule), `${path}: ${policy}`);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
  }
  assert.equal((text.match(/<script/g) ?? []).length, 1, 'and it has no script of its own');
  assert.doesNotMatch(text, /<style|\sstyle=|\son\w+=/);
});

test('the list of parts is what the page imports, no more and no less', () => {
  const found = new Set<string>();
  const follow = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const text = readFileSync(join(source, `${name}.ts`), 'utf8');
    for (const [, path = ''] of text.matchAll(/\bimport\('(\.[^']+)\.ts'\)/g))
      follow(normalize(join(dirname(name), path)));
    for (const [, kind = '', path = ''] of text.matchAll(/^import\s+(type\s)?[^;]*?from\s+'(\.[^']+)\.ts'/gm))
      if (kind === '') follow(normalize(join(dirname(name), path)));
  };
  follow('browser/main');
  const onlyTypes = ['picture'];
  assert.deepEqual([...pageModules].sort(), [...found].filter((name) => !onlyTypes.includes(name)).sort());
});

test(
  'parts are served from the list alone, may be kept for ever, and those of another version are not found',
  needsBuild,
  async () => {
    await using endpoint = await open({ page });
    const text = await (await fetch(endpoint.url, { headers: html })).text();
    const paths = [...text.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)].map(([, path = '']) => path);
    assert.equal(new Set(paths).size, pageModules.length + 1);
    for (const path of new Set(paths)) {
      const part = await fetch(endpoint.url + path);
      assert.equal(part.status, 200, path);
      assert.match(part.headers.get('cache-control') ?? '', /immutable/);
      assert.match(
        part.headers.get('content-type') ?? '',
        path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
      );
    }
    const base = paths[0]?.replace(/[^/]+$/, '') ?? '';
    for (const path of [
      `${base}../supervisor.js`,
      `${base}%2e%2e/supervisor.js`,
      `${base}browser/main.js.map`,
      '/page/0000000000000000/browser/main.js',
      `${base}report.js`,
    ]) {
      const { status, text: answer } = await ask({ host: '127.0.0.1', port: endpoint.port, path });
      assert.ok(status === 404 || status === 400, `${path}: ${status} ${answer.slice(0, 80)}`);
    }
  },
);

test('the series goes again only when there is a new one', async () => {
  await using endpoint = await open({ page });
  const look = async (seen: string) =>
    (await (await fetch(`${endpoint.url}/picture?seen=${encodeURIComponent(seen)}`)).json()) as {
      seen: string;
      series: object | null;
    };
  const first = await look('');
  assert.ok(first.series !== null);
  assert.equal((await look(first.seen)).series, null);
  assert.ok((await look('another')).series !== null);
  assert.equal((await fetch(`${endpoint.url}/picture?seen=a&seen=b`)).status, 200);
});

test('the metrics come as Prometheus wants them', async () => {
  await using endpoint = await open({ page });
  const answer = await fetch(`${endpoint.url}/metrics`);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(await answer.text(), 'rag_phase 1\n');
});

test("the dashboard's own questions are let in, those of any other page are not", needsBuild, async () => {
  await using endpoint = await open({ page });
  const { port } = endpoint;
  const headersOf = (origin: string, host: string) => ({ origin, host, 'content-type': 'application/json' });
  const status = async (origin: string, host: string, more: Record<string, string> = {}): Promise<number> =>
    (
      await ask(
        {
          host: '127.0.0.1',
          port,
          path: '/retrieve',
          method: 'POST',
          headers: { ...headersOf(origin, host), ...more },
        },
        '{"queries":["a"]}',
      )
    ).status;
  assert.equal(await status(`http://127.0.0.1:${port}`, `127.0.0.1:${port}`), 200);
  assert.equal(
    await status('http://localhost:9999', 'localhost:9999'),
    200,
    'through ssh -L on another port',
  );
  assert.equal(await status('http://localhost:1', `localhost:${port}`), 403, 'another port of this machine');
  assert.equal(await status('null', 'localhost'), 403);
  assert.equal(await status('http://evil.example', 'localhost:80'), 403);
  assert.equal(
    await status(`http://evil.example:${port}`, `evil.example:${port}`),
    403,
    'a name made to point here',
  );
  assert.equal(await status('http://localhost:80.evil.example', 'localhost:80'), 403);
});

test('over the Unix socket a page needs the address that it came from as well', async () => {
  await using endpoint = await open({ page });
  const { socketPath } = endpoint;
  const status = async (host: string, origin?: string): Promise<number> =>
    (await ask({ socketPath, path: '/picture', headers: { host, ...(origin && { origin }) } })).status;
  assert.equal(await status('rag'), 200, 'a program');
  assert.equal(await status('localhost:8080', 'http://localhost:8080'), 200, 'ssh -L 8080:/path/rag.sock');
  assert.equal(await status('evil.example:8080', 'http://evil.example:8080'), 403);
});

const tokens = makeTokens();

test(
  'who is not the owner gets a page that asks for the token, and nothing of the job',
  { skip: !isRoot || needsBuild.skip },
  async () => {
    await using endpoint = await open({ page, tokens, ownerUid: 54_321 });
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(endpoint.url + path, { headers });
      return { status: answer.status, text: await answer.text() };
    };
    const refused = await get('/', html);
    assert.equal(refused.status, 401);
    assert.match(refused.text, /A token is wanted/);
    assert.doesNotMatch(refused.text, /48151|node21|qwen3|salaries/);
    assert.equal((await get('/')).status, 401);
    for (const path of ['/picture', '/metrics', '/status'])
      assert.equal((await get(path, html)).status, 401, path);
    const main = /src="([^"]+main\.js)"/.exec(refused.text)?.[1] ?? assert.fail();
    assert.equal((await get(main)).status, 200, 'the parts of the page are no secret');
    const bearer = { authorization: `Bearer ${tokens.header}` };
    assert.match((await get('/', { ...html, ...bearer })).text, /Job 48151/);
    assert.equal((await get('/picture', bearer)).status, 200);
    const posted = await post(
      `${endpoint.url}/retrieve`,
      { queries: ['a'] },
      {
        headers: { 'content-type': 'application/json', origin: endpoint.url, ...bearer },
      },
    );
    assert.equal(posted.status, 200);
  },
);

test('a token of an address opens no dashboard', { skip: !isRoot || needsBuild.skip }, async () => {
  await using endpoint = await open({ page, tokens, ownerUid: 54_321 });
  const through = `${endpoint.url}/t/${tokens.url}`;
  const refused = await fetch(`${through}/`, { headers: html });
  assert.equal(refused.status, 403);
  const text = await refused.text();
  assert.match(text, /token for addresses/);
  assert.doesNotMatch(text, /48151/);
  for (const path of ['/picture', '/metrics']) assert.equal((await fetch(through + path)).status, 403, path);
  assert.equal(
    await (await fetch(`${through}/`)).text(),
    'rag-allinone is running\n',
    'a client may look whether it lives',
  );
});

test(
  'another user of the node sees the form and nothing else',
  { skip: !isRoot || needsBuild.skip },
  async () => {
    await using endpoint = await open({ page, tokens });
    const program = `const answer = await fetch('${endpoint.url}', { headers: { accept: 'text/html' } });
    console.log(answer.status, /48151/.test(await answer.text()), (await fetch('${endpoint.url}/picture')).status);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      {
        uid: 65_534,
        gid: 65_534,
        cwd: '/',
      },
    );
    assert.equal(stdout.trim(), '401 false 401');
  },
);

test('every answer is timed by the pattern of its route, also one that is refused or not waited for', async () => {
  const served: Served[] = [];
  const begun = Promise.withResolvers<void>();
  await using endpoint = await open({
    page,
    tokens,
    onServed: (one) => served.push(one),
    work: {
      retrieve: ({ signal }) => {
        begun.resolve();
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      },
      query: () => Promise.reject(new Error('not asked for')),
    },
  });
  await fetch(`${endpoint.url}/t/${tokens.url}/healthz?secret=1`);
  await fetch(`${endpoint.url}/none/of/ours`);
  await fetch(`${endpoint.url}/status`, { headers: { origin: 'http://evil.example' } });
  const client = new AbortController();
  const waiting = post(`${endpoint.url}/retrieve`, { queries: ['a'] }, { signal: client.signal });
  await begun.promise;
  client.abort();
  await assert.rejects(waiting);
  while (served.length < 4) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    served.map(({ method, route, status }) => `${method} ${route} ${status}`),
    ['GET /healthz 200', 'GET none 404', 'GET /status 403', 'POST /retrieve left'],
  );
});
