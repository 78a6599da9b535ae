import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '../errors.ts';
import type { Rerank } from './types.ts';

/** The pipe to a running reranker. */
export interface RerankChannel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): () => void;
  onClose(listener: () => void): () => void;
}

export interface RerankOptions {
  /** The channel of the reranker as soon as it is ready, through restarts too, until the signal aborts. */
  readonly channel: (signal: AbortSignal) => Promise<RerankChannel>;
  /** For one request, a restart included. */
  readonly timeoutMs?: number;
}

interface Frame {
  readonly id: number;
  readonly op: 'rerank';
  readonly query: string;
  readonly passages: readonly string[];
}

const offerMs = 20;

type Reply = { readonly outcome: 'answered'; readonly message: unknown } | { readonly outcome: 'closed' };

/** Asks a child by frames `{id, op: 'rerank', query, passages}` and reads `{id, scores}` or `{id, error}`. */
export function makeRerank({ channel, timeoutMs = 120_000 }: RerankOptions): Rerank {
  let last = 0;
  /** A pipe closes before its child is known to be dead: until then the same channel is offered again. */
  const nextChannel = async (closed: RerankChannel, signal: AbortSignal): Promise<RerankChannel> => {
    for (;;) {
      const next = await channel(signal);
      if (next !== closed) return next;
      await sleep(offerMs, undefined, { signal });
    }
  };
  return async ({ query, passages, signal }) => {
    // Real rerankers fail on an empty list.
    if (passages.length === 0) return [];
    // A timer that is cleared: `AbortSignal.timeout` keeps what hangs on it until the time is up.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const bounded = AbortSignal.any([signal, late.signal]);
    last += 1;
    const frame: Frame = { id: last, op: 'rerank', query, passages };
    try {
      const first = await channel(bounded);
      let reply = await exchange(first, frame, bounded);
      // The child ended with the request in its hands. Once may be chance; twice may be the request.
      if (reply.outcome === 'closed')
        reply = await exchange(await nextChannel(first, bounded), frame, bounded);
      if (reply.outcome === 'closed') throw unavailable('it ended twice during this request');
      return readScores(reply.message, passages.length);
    } catch (error) {
      if (signal.aborted)
        throw new RagError('aborted', 'Cannot rerank: the request was cancelled', { cause: error });
      if (bounded.aborted) throw unavailable(`no answer came within ${timeoutMs / 1000} s`, error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

const unavailable = (is: string, cause?: unknown): RagError =>
  new RagError('model-unavailable', `Cannot rerank: ${is}, one score per passage is wanted`, { cause });

function exchange(channel: RerankChannel, frame: Frame, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      removeMessage();
      removeClose();
      signal.removeEventListener('abort', abort);
      settle();
    };
    const abort = (): void => finish(() => reject(signal.reason as Error));
    const removeMessage = channel.onMessage((message) => {
      if (idOf(message) === frame.id) finish(() => resolve({ outcome: 'answered', message }));
    });
    const removeClose = channel.onClose(() => finish(() => resolve({ outcome: 'closed' })));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else channel.send(frame);
  });
}

const idOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'id' in message ? message.id : undefined;

function readScores(message: unknown, count: number): number[] {
  const reply = message as { scores?: unknown; error?: unknown };
  if (reply.error !== undefined) throw unavailable(`the reranker says ${JSON.stringify(reply.error)}`);
  const scores = Array.isArray(reply.scores) ? (reply.scores as unknown[]) : [];
  if (scores.length !== count) throw unavailable(`${scores.length} scores came for ${count} passages`);
  return scores.map((score) => {
    if (typeof score === 'number' && score >= 0 && score <= 1) return score;
    throw unavailable(`a score is ${String(score)}, not in 0-1`);
  });
}
