/** A real store host for the tests, started again after every death as the supervision tree does. */
import assert from 'node:assert/strict';
import { fork, type ChildProcess, type Serializable, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore } from '../../src/store/wire/client.ts';
import type { Store } from '../../src/store/types.ts';
import type { Channel } from '../../src/supervise/spec.ts';

const program = path.resolve(import.meta.dirname, '../../src/store/host.ts');

interface Host {
  readonly child: ChildProcess;
  readonly channel: Channel;
  readonly exited: Promise<unknown>;
  stderr: string;
}

export interface ForkedStore extends AsyncDisposable {
  readonly store: Store;
  /** kill -9; the next request starts another. */
  kill(): Promise<void>;
  /** SIGINT. @returns how it ended */
  terminate(): Promise<unknown>;
  /** As if we had died. @returns how it ended */
  disconnect(): Promise<unknown>;
  /** From now on such a request kills the host that gets it. */
  makeDeadly(op: string): void;
  /** Hosts started so far. */
  starts(): number;
  stderr(): string;
}

interface HostOptions {
  readonly dir: string;
  /** For its temporary files. */
  readonly scratch: string;
  readonly isDeadly: (message: unknown) => boolean;
  readonly log: number | undefined;
}

async function startHost({ dir, scratch, isDeadly, log }: HostOptions): Promise<Host> {
  const env = { ...process.env, TMPDIR: scratch };
  const stdio: StdioOptions = ['ignore', 'pipe', log ?? 'pipe', 'ipc'];
  const child = fork(program, [dir], { env, serialization: 'advanced', stdio });
  const exited = once(child, 'exit');
  const channel: Channel = {
    send: (message) => {
      if (isDeadly(message)) child.kill('SIGKILL');
      else child.send(message as Serializable, () => undefined);
    },
    onMessage: (listener) => {
      child.on('message', listener);
      return () => child.off('message', listener);
    },
    onClose: (listener) => {
      child.once('disconnect', listener);
      return () => child.off('disconnect', listener);
    },
    giveUp: () => undefined,
    onGivenUp: () => () => undefined,
  };
  const host: Host = { child, channel, exited, stderr: '' };
  child.stderr?.on('data', (text: Buffer) => (host.stderr += text.toString()));
  child.stdout?.resume();
  await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error(host.stderr)))]);
  return host;
}

export async function openForkedStore(
  dir: string,
  options: {
    readonly signal?: AbortSignal;
    readonly timeoutMs?: number;
    /** A descriptor for the host's stderr. */
    readonly log?: number;
  } = {},
): Promise<ForkedStore> {
  const scratch = await scratchFolder();
  let starts = 0;
  let deadly: string | undefined;
  const isDeadly = (message: unknown): boolean => (message as { readonly op: string }).op === deadly;
  let host: Host | undefined;
  let starting: Promise<Host> | undefined;
  const untilChannel = async (): Promise<Channel> => {
    if (host?.child.connected !== true) {
      starts += starting === undefined ? 1 : 0;
      host = await (starting ??= startHost({
        dir,
        scratch: scratch.path,
        isDeadly,
        log: options.log,
      }).finally(() => (starting = undefined)));
    }
    return host.channel;
  };
  const store = openStore({
    untilChannel,
    signal: options.signal ?? new AbortController().signal,
    ...options,
  });
  const kill = async (): Promise<void> => {
    const victim = host;
    if (victim === undefined) return;
    victim.child.kill('SIGKILL');
    await victim.exited;
  };
  return {
    store,
    kill,
    terminate: async () => {
      host?.child.kill('SIGINT');
      return host?.exited;
    },
    disconnect: async () => {
      host?.child.disconnect();
      return host?.exited;
    },
    makeDeadly: (op) => (deadly = op),
    starts: () => starts,
    stderr: () => host?.stderr ?? '',
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await starting?.catch(() => undefined);
      await kill();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

/** The only shard of an index: its folder. */
export async function onlyShard(index: string): Promise<string> {
  const shards = path.join(index, 'shards');
  const [name, ...others] = (await readdir(shards)).filter((each) => each.endsWith('.lance'));
  assert.ok(name !== undefined && others.length === 0, `${1 + others.length} shards`);
  return path.join(shards, name);
}

/** A new folder; removed with all that is in it. */
export async function scratchFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rag-store-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
