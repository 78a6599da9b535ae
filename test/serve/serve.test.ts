import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, mkdir, mkdtempDisposable, stat } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect, Server } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { RagError } from '../../src/errors.ts';
import type { EndpointEvent } from '../../src/serve/serve.ts';
import { ask, open, post } from './open.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const errorOf = (text: string): { code: string; message: string; hint: string | null } =>
  (JSON.parse(text) as { error: { code: string; message: string; hint: string | null } }).error;

test('/healthz, /readyz and /status say alive, ready and what runs', async () => {
  const missing = ['reranker'];
  await using endpoint = await open({ readiness: () => ({ ready: missing.length === 0, missing }) });
  const get = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(`${endpoint.url}${path}`);
    return [answer.status, await answer.json()];
  };
  assert.deepEqual(await get('/healthz'), [200, { status: 'ok' }]);
  assert.deepEqual(await get('/readyz'), [503, { ready: false, missing: ['reranker'] }]);
  missing.pop();
  assert.deepEqual(await get('/readyz'), [200, { ready: true, missing: [] }]);
  const [status, state] = await get('/status');
  const { gateway, ...others } = state as { gateway: object };
  assert.deepEqual([status, others], [200, { job: '17', phase: 'answering' }]);
  assert.deepEqual(gateway, {
    waiting: { generate: 0, embed: 0 },
    instances: [],
    answered: 0,
    sent_again: 0,
    quarantined: 0,
    held_bytes: 0,
  });
  assert.equal((await fetch(endpoint.url, { method: 'HEAD' })).status, 200);
});

test('the Unix socket has the same routes, in a folder that only its owner can enter, and is gone afterwards', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-serve-'));
  const socketPath = join(dir.path, 'run', 'rag.sock');
  {
    await mkdir(dirname(socketPath), { mode: 0o755 });
    await using endpoint = await open({ socketPath });
    const { status, text } = await ask({ socketPath: endpoint.socketPath, path: '/status' });
    assert.equal(status, 200);
    assert.match(text, /"job":"17","phase":"answering"/);
    assert.equal((await stat(dirname(socketPath))).mode & 0o777, 0o700);
  }
  await assert.rejects(access(socketPath), { code: 'ENOENT' });
});

test('a socket that a killed server left is replaced; one that is served is not', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-serve-'));
  const socketPath = join(dir.path, 'rag.sock');
  const program = `require('http').createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await assert.rejects(open({ socketPath }), { code: 'settings' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await access(socketPath);
  await using endpoint = await open({ socketPath });
  assert.equal((await ask({ socketPath: endpoint.socketPath, path: '/healthz' })).status, 200);
});

test('a socket path that is too long for the kernel is refused by name, and no port stays open', async () => {
  await assert.rejects(open({ socketPath: join(tmpdir(), 'x'.repeat(100)) }), {
    code: 'settings',
    message: /100 are wanted/,
  });
});

test('a port that is taken is refused with a mend', async () => {
  await using endpoint = await open();
  await assert.rejects(open({ port: endpoint.port }), { code: 'settings', hint: /RAG_PORT=0/ });
});

test(
  'a port that was chosen on one address and is taken on the other is chosen anew',
  { skip: outward === undefined },
  async (context) => {
    const listen = Object.getOwnPropertyDescriptor(Server.prototype, 'listen')?.value as Server['listen'];
    let taken = 0;
    context.mock.method(Server.prototype, 'listen', function (this: Server, ...asked: unknown[]) {
      const [where] = asked as [{ port?: number } | undefined];
      if (!(Number(where?.port) > 0) || taken === 2) return Reflect.apply(listen, this, asked) as Server;
      taken += 1;
      const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
      return setImmediate(() => this.emit('error', error)) && this;
    });
    await using endpoint = await open({ host: outward ?? '' });
    assert.equal(taken, 2);
    const { port } = endpoint;
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.equal((await fetch(`http://${outward}:${port}/healthz`)).status, 401);
  },
);

test(
  'another user of the node gets 401 on every route, also on one that is not there',
  { skip: !isRoot },
  async () => {
    const events: EndpointEvent[] = [];
    await using endpoint = await open({ onEvent: (event) => events.push(event) });
    const program = `const out = [];
    for (const path of ['/status', '/healthz', '/none']) {
      const answer = await fetch('${endpoint.url}' + path);
      out.push([answer.status, (await answer.json()).error.code]);
    }
    const posted = await fetch('${endpoint.url}/retrieve', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"queries":["q"]}' });
    out.push([posted.status, (await posted.json()).error.code]);
    console.log(JSON.stringify(out));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { uid: nobody, gid: nobody, cwd: '/' },
    );
    assert.deepEqual(
      JSON.parse(stdout),
      Array.from({ length: 4 }, () => [401, 'forbidden']),
    );
    assert.equal(events.filter(({ kind }) => kind === 'refused').length, 4);
    assert.equal((await fetch(`${endpoint.url}/status`)).status, 200);
  },
);

test('another user of the node cannot reach the Unix socket', { skip: !isRoot }, async () => {
  await using endpoint = await open();
  const program = `require('net').connect(${JSON.stringify(endpoint.socketPath)}).on('error', (error) => console.log(error.code))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], {
    uid: nobody,
    gid: nobody,
    cwd: '/',
  });
  assert.equal(stdout.trim(), 'EACCES');
});

test("the owner's browser is refused: a page has an Origin, and a name made to point here is still a name", async () => {
  await using endpoint = await open();
  const get = (headers: Record<string, string>): Promise<{ status: number }> =>
    ask({ host: '127.0.0.1', port: endpoint.port, path: '/status', headers });
  assert.equal((await get({ origin: 'https://example.org' })).status, 403);
  assert.equal((await get({ origin: 'null' })).status, 403);
  assert.equal((await get({ host: 'evil.example:80' })).status, 403);
  assert.equal((await get({ host: 'localhost.evil.example' })).status, 403);
  assert.equal((await get({ host: 'localhost:9999' })).status, 200);
  assert.equal((await get({ host: '[::1]:80' })).status, 200);
});

test(
  "another user with the address and port of the owner's connection, towards another address of ours, is not the owner",
  { skip: !isRoot || outward === undefined || !existsSync('/usr/bin/python3') },
  async () => {
    await using endpoint = await open({ host: outward ?? '' });
    const { port } = endpoint;
    // Both sides bind, with SO_REUSEADDR (Node's own way): then the kernel lets two users have one source port.
    const owner = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1' });
    await once(owner, 'connect');
    owner.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(String(await once(owner, 'data')), /^HTTP\/1.1 200/);
    // The end comes in one segment with the question: its row in the kernel's table never says ESTABLISHED to us.
    const program = [
      'import socket as s',
      'one = s.socket()',
      'one.setsockopt(s.SOL_SOCKET, s.SO_REUSEADDR, 1)',
      `one.bind(("127.0.0.1", ${owner.localPort}))`,
      `one.connect(("${outward}", ${port}))`,
      'one.send(b"GET /status HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n", s.MSG_MORE)',
      'one.shutdown(s.SHUT_WR)',
      'print(one.recv(999).split(b"\\r")[0].decode())',
    ].join('\n');
    const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', program], {
      uid: nobody,
      gid: nobody,
      cwd: '/',
    });
    owner.destroy();
    // Who has said his end before we have looked him up gets nothing at all.
    assert.ok(['', 'HTTP/1.1 401 Unauthorized'].includes(stdout.trim()), stdout);
  },
);

test('a peer at another loopback address than 127.0.0.1 is refused: its port may be that of the owner', async () => {
  await using endpoint = await open();
  const { status } = await ask({
    host: '127.0.0.1',
    port: endpoint.port,
    path: '/status',
    localAddress: '127.0.0.2',
  });
  assert.equal(status, 401);
});

test('connections over TCP are bounded, and the Unix socket is there for its owner all the same', async () => {
  await using endpoint = await open({ maxConnections: 3 });
  const idle = Array.from({ length: 3 }, () => connect(endpoint.port, '127.0.0.1'));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const one = connect(endpoint.port, '127.0.0.1').on('error', () => undefined);
  await once(one, 'close');
  assert.equal((await ask({ socketPath: endpoint.socketPath, path: '/healthz' })).status, 200);
  idle[0]?.destroy();
  while (
    (await ask({ host: '127.0.0.1', port: endpoint.port, path: '/healthz' }).catch(() => undefined))
      ?.status !== 200
  );
  idle.forEach((socket) => socket.destroy());
});

test('errors are JSON with a code and never a stack trace', async () => {
  const events: EndpointEvent[] = [];
  const broken = (): never => {
    throw new TypeError('oops');
  };
  await using endpoint = await open({
    state: broken,
    maxQuestions: 0,
    onEvent: (event) => events.push(event),
  });
  const answers: [Response, number, string][] = [
    [await fetch(`${endpoint.url}/none`), 404, 'not-found'],
    [await fetch(`${endpoint.url}/%zz`), 400, 'bad-request'],
    [await fetch(`${endpoint.url}/retrieve`), 404, 'not-found'],
    [
      await fetch(`${endpoint.url}/query`, { method: 'POST', body: 'query=x' }),
      415,
      'unsupported-media-type',
    ],
    [await fetch(`${endpoint.url}/query`, { method: 'POST' }), 415, 'unsupported-media-type'],
    [await post(`${endpoint.url}/query`, '{"query":'), 400, 'bad-request'],
    [await post(`${endpoint.url}/query`, { query: ' ' }), 422, 'usage'],
    [await post(`${endpoint.url}/query`, { query: 'x'.repeat(2 ** 20) }), 413, 'too-large'],
    [await post(`${endpoint.url}/query`, { query: 'q' }), 429, 'busy'],
    [await fetch(`${endpoint.url}/status`), 500, 'bug'],
  ];
  for (const [answer, status, code] of answers) {
    const text = await answer.text();
    assert.deepEqual([answer.status, errorOf(text).code], [status, code], text);
    assert.doesNotMatch(text, /\bat \w+.*\.ts/u);
  }
  assert.deepEqual(
    events.map((event) => [event.kind, event.kind === 'failed' ? event.route : '']),
    [['failed', '/status']],
  );
});

test('closing cuts whoever still waits, and ends their work', async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const endpoint = await open({
    work: {
      query: () => Promise.reject(new RagError('bug', 'not asked')),
      retrieve: ({ signal }) => {
        begun.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            ended.resolve(signal.reason);
            reject(signal.reason as Error);
          });
        });
      },
    },
  });
  const waiting = assert.rejects(post(`${endpoint.url}/retrieve`, { queries: ['q'] }));
  await begun.promise;
  await endpoint[Symbol.asyncDispose]();
  await waiting;
  await ended.promise;
});

test('a foreign client that resets its connection at once is nobody, and so not the owner', async () => {
  let asked = 0;
  const work = {
    retrieve: async () => ((asked += 1), []),
    query: () => Promise.reject(new Error('not asked for')),
  };
  await using endpoint = await open({ work, ownerUid: 54_321 });
  const body = '{"queries":["x"]}';
  const head = `POST /retrieve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  for (let round = 0; round < 100; round += 1) {
    const socket = connect(endpoint.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${head}\r\n\r\n${body}`, () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  // By the time this one is answered the others were read.
  assert.equal((await post(`${endpoint.url}/retrieve`, { queries: ['x'] })).status, 401);
  assert.equal(asked, 0);
});
