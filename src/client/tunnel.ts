/**
 * A local Unix socket whose connections end at a supervisor that cannot be reached: through the input and output of a relay
 * that runs beside it. So everything else speaks HTTP to a socket and knows of no tunnel.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, pipeline, type Readable, type Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { openScratch } from '../disk/scratch.ts';
import { messageOf } from '../errors.ts';
import { unframeStream } from './stream-frames.ts';
import { greeting, pipeBytes, sessionOptions, wholeWindowBytes } from './tunnel-protocol.ts';

export interface Tunnel extends AsyncDisposable {
  /** In a folder of its own, which only its owner enters. */
  readonly socketPath: string;
}

export interface TunnelOptions {
  /** Starts the relay, here or elsewhere. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Until it has said its first word. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came instead of the relay's first word. */
export class NoTunnel extends Error {
  /** What the command printed as its errors. */
  readonly said: string;
  constructor(message: string, said: string) {
    super(message);
    this.said = said;
  }
}

type Relay = ChildProcessByStdio<Writable, Readable, Readable>;

/** @throws NoTunnel, preflight, disk-full, aborted */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const scratch = await openScratch('tunnel', undefined);
  const relay = startRelay(options);
  const said = collect(relay.stderr);
  try {
    await untilGreeted(relay, said, options);
  } catch (error) {
    relay.kill('SIGTERM');
    await end(relay);
    await scratch[Symbol.asyncDispose]();
    options.signal.throwIfAborted();
    throw new NoTunnel(messageOf(error), said());
  }
  const { session, close } = openSession(relay);
  const sockets = new Set<Socket>();
  const door = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    carry(socket, session);
  });
  const socketPath = join(scratch.folder, 'rag.sock');
  const dispose = async (): Promise<void> => {
    const closed = once(door, 'close');
    door.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    close();
    await end(relay);
    await scratch[Symbol.asyncDispose]();
  };
  try {
    door.listen(socketPath);
    await once(door, 'listening');
  } catch (error) {
    await dispose();
    throw error;
  }
  return { socketPath, [Symbol.asyncDispose]: dispose };
}

/** In a session of its own: a terminal's Ctrl-C is for us alone, srun would ask what it means. */
function startRelay({ command, env }: TunnelOptions): Relay {
  const [file = '', ...words] = command;
  return spawn(file, words, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}

function carry(socket: Socket, session: ClientHttp2Session): void {
  if (session.closed || session.destroyed) {
    socket.destroy();
    return;
  }
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  pipeline(socket, stream, socket, () => socket.destroy());
}

/** `close` ends all that is under way. */
function openSession(relay: Relay): { session: ClientHttp2Session; close: () => void } {
  const frames = unframeStream(pipeBytes);
  const pipes = Duplex.from({ readable: frames, writable: relay.stdin });
  for (const stream of [relay.stdin, frames, pipes]) stream.on('error', () => undefined);
  const session = connectHttp2('http://relay', { createConnection: () => pipes, ...sessionOptions });
  session.once('connect', () => session.setLocalWindowSize(wholeWindowBytes));
  // Its streams fail with it, and they are what somebody waits for.
  session.on('error', () => undefined);
  // Destroyed, and never ended: where its input has an end, Node's session shuts the output and writes to it afterwards,
  // against which Node's own assertion ends the process.
  const close = (): void => void pipes.destroy();
  relay.stdout.pipe(frames, { end: false }).once('error', close);
  relay.stdout.once('close', close);
  relay.once('exit', close);
  return { session, close };
}

/** @throws what came instead */
async function untilGreeted(
  relay: Relay,
  said: () => string,
  { timeoutMs, signal }: TunnelOptions,
): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const ended = once(relay, 'exit', { signal: stop }).then(() => {
    throw new Error(said().trim().split('\n').at(-1) || 'it ended without a word');
  });
  const failed = once(relay, 'error', { signal: stop }).then(([error]) => {
    throw error;
  });
  const late = pause(timeoutMs, undefined, { signal: stop }).then(() => {
    throw new Error(`it said nothing for ${Math.round(timeoutMs / 1000)} s`);
  });
  try {
    await Promise.race([readGreeting(relay.stdout, stop), ended, failed, late]);
  } finally {
    over.abort();
    await Promise.allSettled([ended, failed, late]);
  }
}

const mostBefore = 64 * 1024;

/** Leaves in the stream what comes behind it. */
async function readGreeting(stdout: Readable, signal: AbortSignal): Promise<void> {
  let text = '';
  for (;;) {
    const piece = stdout.read(1) as Buffer | null;
    if (piece === null) await once(stdout, 'readable', { signal });
    else text += piece.toString('latin1');
    if (text.endsWith(`${greeting}\n`)) return;
    if (text.length > mostBefore) throw new Error('it said something else');
  }
}

/** The last of what is written there. */
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => (text = (text + piece).slice(-4000)));
  return () => text;
}

const graceMs = 5000;

async function end(relay: Relay): Promise<void> {
  if (relay.exitCode !== null || relay.signalCode !== null || relay.pid === undefined) return;
  const exited = once(relay, 'exit');
  relay.stdin.end();
  const over = new AbortController();
  const late = pause(graceMs, undefined, { signal: over.signal }).then(
    () => relay.kill('SIGKILL'),
    () => undefined,
  );
  await exited;
  over.abort();
  await late;
}
