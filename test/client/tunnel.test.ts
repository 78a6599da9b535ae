/** A tunnel to a Unix socket, through the input and output of the relay. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtempDisposable, readdir, readFile } from 'node:fs/promises';
import { createServer, request, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { frameStream, unframeStream } from '../../src/client/stream-frames.ts';
import { NoTunnel, openTunnel, type Tunnel } from '../../src/client/tunnel.ts';
import { siblingPath } from '../../src/sibling.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const relay = siblingPath(import.meta.resolve('../../src/client/tunnel.ts'), 'relay');
const never = new AbortController().signal;
const env = { PATH: process.env['PATH'] ?? '' };

const through = (command: readonly string[], timeoutMs = 20_000): Promise<Tunnel> =>
  openTunnel({ command, env, timeoutMs, signal: never });

/** A server on a Unix socket, and a tunnel to it. */
async function open(listener: RequestListener) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rag-far-'));
  const far = join(folder.path, 'far.sock');
  const server = createServer(listener).listen(far);
  await once(server, 'listening');
  const pid = join(folder.path, 'pid');
  const tunnel = await through(['sh', '-c', `echo $$ >${pid}; exec ${process.execPath} ${relay} ${far}`]);
  return {
    ...tunnel,
    server,
    relayPid: Number(await readFile(pid, 'utf8')),
    [Symbol.asyncDispose]: async () => {
      await tunnel[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
      await folder.remove();
    },
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly bytes: number;
  readonly text: string;
}

const ask = (socketPath: string, path: string, body?: Uint8Array): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path, method: body === undefined ? 'GET' : 'POST', agent: false },
      (answer) => {
        let [bytes, text] = [0, ''];
        answer.on('data', (piece: Buffer) => {
          bytes += piece.length;
          if (text.length < 1000) text += piece.toString('latin1');
        });
        answer.on('end', () => resolve({ status: answer.statusCode, bytes, text }));
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });

const counting: RequestListener = (asked, reply) => {
  let bytes = 0;
  asked.on('data', (piece: Buffer) => (bytes += piece.length));
  asked.on('end', () => reply.end(asked.url === '/big' ? Buffer.alloc(20_000_000, 10) : `got ${bytes}`));
};

test('requests go through side by side, large ones both ways, and what nobody reads holds up nobody', async () => {
  await using tunnel = await open(counting);
  const stuck = request({ socketPath: tunnel.socketPath, path: '/big', agent: false });
  stuck.on('error', () => undefined).on('response', (answer) => answer.pause());
  stuck.end();
  await once(stuck, 'response');
  const [small, down, up] = await Promise.all([
    ask(tunnel.socketPath, '/', Buffer.from('hello')),
    ask(tunnel.socketPath, '/big'),
    ask(tunnel.socketPath, '/', Buffer.alloc(20_000_000)),
  ]);
  assert.deepEqual([small.text, down.bytes, up.text], ['got 5', 20_000_000, 'got 20000000']);
  stuck.destroy();
});

test('a client that leaves is gone at the other end, and a server that ends is gone at this one', async () => {
  const left = Promise.withResolvers<void>();
  await using tunnel = await open((asked, reply) => {
    if (asked.url === '/wait') reply.once('close', () => left.resolve());
    else asked.socket.destroy();
  });
  const leaving = request({ socketPath: tunnel.socketPath, path: '/wait', agent: false });
  leaving.on('error', () => undefined).end();
  await once(leaving, 'socket');
  while (
    (await new Promise<number>((resolve) => tunnel.server.getConnections((_, count) => resolve(count)))) === 0
  )
    await pause(5);
  leaving.destroy();
  await left.promise;
  await assert.rejects(ask(tunnel.socketPath, '/cut'));
});

test('when the relay dies, what is under way fails and so does what comes', async () => {
  const came = Promise.withResolvers<void>();
  await using tunnel = await open(() => came.resolve());
  const waiting = ask(tunnel.socketPath, '/wait');
  waiting.catch(() => undefined);
  await came.promise;
  process.kill(tunnel.relayPid, 'SIGKILL');
  await assert.rejects(waiting);
  await assert.rejects(ask(tunnel.socketPath, '/'));
});

test('so it does while something is being written to it, again and again', async () => {
  for (let n = 0; n < 20; n += 1) {
    const came = Promise.withResolvers<void>();
    await using tunnel = await open(() => came.resolve());
    const waiting = Array.from({ length: 4 }, () => assert.rejects(ask(tunnel.socketPath, '/wait')));
    await came.promise;
    process.kill(tunnel.relayPid, 'SIGKILL');
    await Promise.all(waiting);
  }
});

test('whatever a site prints before the first word is passed over, and nothing is left of what said none', async () => {
  // What others have in the common one is not ours to count.
  await using own = await mkdtempDisposable(join(tmpdir(), 'rag-own-'));
  const common = process.env['TMPDIR'];
  using _ = {
    [Symbol.dispose]: () => {
      if (common === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = common;
    },
  };
  process.env['TMPDIR'] = own.path;
  const bin = (script: string): string[] => ['sh', '-c', script];
  await assert.rejects(through(bin('echo no such job >&2; exit 1')), (error: NoTunnel) => {
    assert.equal(error.said, 'no such job\n');
    return error instanceof NoTunnel && error.message === 'no such job';
  });
  await assert.rejects(through(bin('exec sleep 60'), 100), { message: 'it said nothing for 0 s' });
  await assert.rejects(through(bin('exec yes')), { message: 'it said something else' });
  await assert.rejects(through(['/no/such/program']), /ENOENT/);
  await using others = await mkdtempDisposable(join(tmpdir(), 'rag-others-'));
  if (process.getuid?.() === 0) await chown(others.path, 65_534, 65_534);
  const foreign = process.getuid?.() === 0 ? others.path : '/etc';
  await assert.rejects(
    through([process.execPath, relay, join(foreign, 'no.sock')]),
    /belongs to another user/,
  );
  const noisy = await through(
    bin(`echo Welcome to the cluster; exec ${process.execPath} ${relay} ${tmpdir()}/nobody.sock`),
  );
  await assert.rejects(ask(noisy.socketPath, '/'));
  await noisy[Symbol.asyncDispose]();
  await others.remove();
  assert.deepEqual(await readdir(own.path), []);
});

test('frames come out as they went in, however they were cut, and each ends a line', async () => {
  const pieces = [Buffer.from('a\nb'), Buffer.alloc(0), Buffer.alloc(100_000, 10), Buffer.from([0, 255, 13])];
  const [framing, unframing] = [frameStream(), unframeStream()];
  const sent: Buffer[] = [];
  framing.on('data', (piece: Buffer) => sent.push(piece));
  for (const piece of pieces) framing.write(piece);
  framing.end();
  await once(framing, 'end');
  assert.ok(sent.every((piece) => piece.at(-1) === 10));
  const got: Buffer[] = [];
  unframing.on('data', (piece: Buffer) => got.push(piece));
  const all = Buffer.concat(sent);
  for (let at = 0; at < all.length; at += 7001) unframing.write(all.subarray(at, at + 7001));
  unframing.end();
  await once(unframing, 'end');
  assert.deepEqual(Buffer.concat(got), Buffer.concat(pieces));
  const nonsense = unframeStream();
  const failed = once(nonsense, 'error');
  nonsense.write(Buffer.from('HTTP/1.1 400'));
  await failed;
});

test('who is told to stop while the relay is silent hears that, and nothing is left', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-tunnels-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder.path;
  try {
    const told = new AbortController();
    const reason = new Error('told to stop');
    const up = join(folder.path, 'up');
    const opened = openTunnel({
      command: ['sh', '-c', `touch ${up}; exec sleep 60`],
      env,
      timeoutMs: 20_000,
      signal: told.signal,
    });
    const refused = assert.rejects(opened, reason);
    await until(() => existsSync(up), 'the relay');
    told.abort(reason);
    await refused;
    assert.deepEqual(await readdir(folder.path), ['up']);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});
