import { setTimeout as pause } from 'node:timers/promises';
import { fromPlain, RagError } from '../../errors.ts';
import type { Channel } from '../../supervise/spec.ts';
import { startBound } from './bound.ts';
import { isReply, type Operation, type Operations, type Reply } from './protocol.ts';

export interface ConnectionOptions {
  readonly untilChannel: (signal: AbortSignal) => Promise<Channel>;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** Requests to a host that may be another process from one moment to the next. */
export interface Connection {
  /** @param cancel ends the wait with `aborted`; the host goes on */
  request<Op extends Operation>(
    op: Op,
    args: Parameters<Operations[Op]>,
    cancel?: AbortSignal,
  ): ReturnType<Operations[Op]>;
  close(): void;
}

const defaultTimeoutMs = 10 * 60_000;
/** Those whose time grows with the index. */
const longOperations: readonly Operation[] = [
  'consolidate',
  'verify',
  'selectNamed',
  'selectUnmet',
  'exportTo',
  'tune',
  'tag',
];
const longTimeoutMs = 24 * 60 * 60_000;
/** A request that three hosts have died of would kill the fourth. */
const maxSends = 3;

export function openConnection({ untilChannel, signal, timeoutMs }: ConnectionOptions): Connection {
  const closing = new AbortController();
  const ending = AbortSignal.any([signal, closing.signal]);
  const closed = new WeakSet<Channel>();
  let connecting: Promise<Host> | undefined;
  let writing: Parameters<Operations['beginWriting']> | undefined;

  /** A new host has no writer: before anything else it is told what the last one was told. */
  const connect = async (): Promise<Host> => {
    for (;;) {
      const host = attach(await untilOpen(untilChannel, closed, ending), closed);
      if (writing === undefined) return host;
      const reply = await host.ask('beginWriting', writing);
      if (reply === 'closed') continue;
      valueOf(reply);
      return host;
    }
  };
  const connected = async (): Promise<Host> => {
    for (;;) {
      const attempt = (connecting ??= connect());
      const host = await attempt.catch((error: unknown) => forget(attempt, error));
      if (!closed.has(host.channel)) return host;
      if (connecting === attempt) connecting = undefined;
    }
  };
  const forget = (attempt: Promise<Host>, error: unknown): never => {
    if (connecting === attempt) connecting = undefined;
    throw error;
  };

  const request = async (op: Operation, args: readonly unknown[], cancel?: AbortSignal): Promise<unknown> => {
    const boundMs = longOperations.includes(op) ? longTimeoutMs : (timeoutMs ?? defaultTimeoutMs);
    using bound = startBound(op, boundMs, cancel === undefined ? [ending] : [ending, cancel]);
    for (let sends = 0; sends < maxSends; sends++) {
      const host = await bound.race(connected());
      const reply = await bound.race(host.ask(op, args));
      if (reply === 'closed') continue;
      const value = valueOf(reply);
      if (op === 'beginWriting') writing = args as Parameters<Operations['beginWriting']>;
      return value;
    }
    throw new RagError(
      'service-failed',
      `Cannot ${op}: ${maxSends} store hosts died of it, an answer is wanted`,
    );
  };
  return { request: request as Connection['request'], close: () => closing.abort() };
}

interface Host {
  readonly channel: Channel;
  ask(op: Operation, args: readonly unknown[]): Promise<Reply | 'closed'>;
}

/** @param closed takes the channel when it closes */
function attach(channel: Channel, closed: WeakSet<Channel>): Host {
  const waiting = new Map<number, (reply: Reply | 'closed') => void>();
  let lastId = 0;
  channel.onMessage((message) => {
    if (!isReply(message)) return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  channel.onClose(() => {
    closed.add(channel);
    for (const settle of waiting.values()) settle('closed');
    waiting.clear();
  });
  return {
    channel,
    ask: async (op, args) => {
      if (closed.has(channel)) return 'closed';
      const id = ++lastId;
      return new Promise((settle) => {
        waiting.set(id, settle);
        channel.send({ id, op, args });
      });
    },
  };
}

/** Between two questions for a channel, while its owner has not yet noticed that the last one closed. */
const askAgainMs = 20;

async function untilOpen(
  untilChannel: ConnectionOptions['untilChannel'],
  closed: WeakSet<Channel>,
  signal: AbortSignal,
): Promise<Channel> {
  for (;;) {
    const channel = await untilChannel(signal);
    if (!closed.has(channel)) return channel;
    await pause(askAgainMs, undefined, { signal });
  }
}

function valueOf(reply: Reply): unknown {
  if ('error' in reply) throw fromPlain(reply.error);
  return reply.value;
}
