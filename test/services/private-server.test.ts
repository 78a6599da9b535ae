import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { pickPort } from '../../src/machine/ports.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const program = fileOf('../src/services/private-server.ts');
const speaker = [process.execPath, fileOf('fixtures/speaks-tcp.mjs')];

interface Started extends AsyncDisposable {
  readonly pid: number;
  readonly socketPath: string;
  /** Of the server and of what stands before it. */
  readonly said: () => string;
  readonly exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  dial(request?: string): Promise<Socket>;
}

/** The program with a server behind it, in the network of the test. */
async function start(command?: readonly string[]): Promise<Started> {
  const dir = await mkdtempDisposable(path.join(tmpdir(), 'private-'));
  const socketPath = path.join(dir.path, '1.sock');
  const port = String(await pickPort(dir.path));
  const server = command ?? [...speaker, port];
  const child: ChildProcess = spawn(process.execPath, [program, socketPath, port, '--', ...server], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => void (said += text));
  const exited = once(child, 'exit') as Started['exited'];
  const closed = once(child, 'close');
  // Its mode is the last thing that is done to it: between bind and listen it is there and refuses.
  const isOpen = (): boolean =>
    (statSync(socketPath, { throwIfNoEntry: false })?.mode ?? 0) % 0o1000 === 0o600;
  if (command === undefined) await until(isOpen, 'the socket is there');
  return {
    pid: child.pid ?? 0,
    socketPath,
    said: () => said,
    exited,
    async dial(request) {
      const socket = connect({ path: socketPath, allowHalfOpen: true });
      await once(socket, 'connect');
      if (request !== undefined) socket.write(`${request}\n`);
      return socket;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
      await closed;
      await dir.remove();
    },
  };
}

const read = async (socket: Socket): Promise<string> => {
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
};

const peakKiB = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('a byte is passed on at once, not when more have come', async () => {
  await using server = await start();
  const socket = await server.dial('echo');
  for (const letter of 'not a word waits for the next') {
    socket.write(letter);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(answer), letter);
  }
  socket.destroy();
});

test('the end of a request is passed on, and the answer that comes after it', async () => {
  await using server = await start();
  const socket = await server.dial('count');
  socket.end(Buffer.alloc(3_000_000));
  assert.equal(await read(socket), '3000000');
});

test('a hundred connections at once get their own answers, of 64 KiB and of 3 MB', async () => {
  await using server = await start();
  const sizes = Array.from({ length: 100 }, (_, at) => (at % 10 === 0 ? 3_000_000 : 70_000) + at);
  const answers = await Promise.all(
    sizes.map(async (size) => {
      const socket = await server.dial('echo');
      socket.end(Buffer.alloc(size, 'y'));
      return (await read(socket)).length;
    }),
  );
  assert.deepEqual(answers, sizes);
});

test('a client that leaves takes its connection to the server along', async () => {
  await using server = await start();
  const socket = await server.dial('echo');
  socket.write('x');
  await once(socket, 'data');
  socket.destroy();
  await until(() => server.said().includes('echo: closed'), 'the server sees it');
});

test('a client that leaves in the middle of an answer takes its connection along, too', async () => {
  await using server = await start();
  const socket = await server.dial('flood 256');
  await once(socket, 'data');
  socket.destroy();
  await until(() => server.said().includes('flood: closed'), 'the server sees it');
  assert.doesNotMatch(server.said(), /flood: all sent/);
});

test('a connection that the server resets ends for the client, too', async () => {
  await using server = await start();
  const socket = await server.dial('reset');
  await once(socket.resume(), 'end');
  socket.destroy();
});

test('what a slow client does not take is not heaped up on the way', async () => {
  await using server = await start();
  const before = peakKiB(server.pid);
  const socket = await server.dial('flood 256');
  let bytes = 0;
  for await (const piece of socket) {
    bytes += (piece as Buffer).length;
    if (bytes < 32 * 2 ** 20) await sleep(1);
  }
  socket.destroy();
  assert.equal(bytes, 256 * 2 ** 20);
  const grown = peakKiB(server.pid) - before;
  // Of what was passed on, 64 MiB wait for the garbage collector.
  assert.ok(grown < 128 * 1024, `${grown} KiB`);
});

test('the socket is there when the server listens, for its owner only, and goes with it', async () => {
  await using server = await start();
  assert.match(server.said(), /listening/);
  assert.equal(statSync(server.socketPath).mode & 0o777, 0o600);
  process.kill(-server.pid, 'SIGTERM');
  await server.exited;
  assert.ok(!existsSync(server.socketPath));
});

test('TERM is for the server: when that ends with a code of its own, so does all', async () => {
  await using server = await start();
  process.kill(server.pid, 'SIGTERM');
  const socket = await server.dial('echo');
  socket.write('x');
  await once(socket, 'data');
  process.kill(-server.pid, 'SIGTERM');
  assert.deepEqual(await server.exited, [5, null]);
  socket.destroy();
});

for (const [what, command, code] of [
  ['an exit code', ['/bin/sh', '-c', 'exit 7'], 7],
  ['a signal', ['/bin/sh', '-c', 'kill -9 $$'], 137],
  ['a program that is not there', ['/no/such/program', 'serve'], 127],
] as const) {
  test(`the end of the server is the end of all, with its status: ${what}`, async () => {
    await using server = await start(command);
    assert.deepEqual(await server.exited, [code, null]);
  });
}

test('a program that may not be run is told from one that is not there', async () => {
  await using dir = await mkdtempDisposable(path.join(tmpdir(), 'private-'));
  const file = path.join(dir.path, 'server');
  writeFileSync(file, 'x');
  chmodSync(file, 0o600);
  await using server = await start([file]);
  assert.deepEqual(await server.exited, [126, null]);
});
