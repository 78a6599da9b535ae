/** One question to a rerank server that runs elsewhere, over HTTP: again while it is busy, bounded in time and size. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, RagError } from '../errors.ts';
import { openConnections, type Way } from './address.ts';

export interface RerankHttpOptions {
  /** `http://HOST:PORT` */
  readonly origin: string;
  /** Sent as `Authorization: Bearer`. */
  readonly key: string | undefined;
  /** From one byte to the next. */
  readonly silenceMs?: number;
  /** Before the second try; doubles with each. */
  readonly firstPauseMs?: number;
}

export type HttpReply =
  | { readonly outcome: 'answered'; readonly value: unknown }
  /** Another try would find the same. `text` may hold what was sent: for a question of our own only. */
  | { readonly outcome: 'refused'; readonly status: number; readonly text: string };

/** Disposing it cuts what is still running. */
export interface RerankHttp extends AsyncDisposable {
  /** @throws model-unavailable when it is busy or away for too long; aborted */
  post(path: string, body: object, signal: AbortSignal): Promise<HttpReply>;
}

/** A second of scores of 10,000 passages, with the passages given back, as some do unasked. */
const maxAnswerBytes = 64 * 2 ** 20;
const longestPauseMs = 4_000;
/** Some 10 s of a busy server; one that is away is asked twice: an answer waits for it. */
const tries = { busy: 6, away: 2 } as const;

export function openRerankHttp({
  origin,
  key,
  silenceMs = 60_000,
  firstPauseMs = 250,
}: RerankHttpOptions): RerankHttp {
  const connections = openConnections(
    { headersTimeout: silenceMs, bodyTimeout: silenceMs, maxResponseSize: maxAnswerBytes },
    5_000,
  );
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return {
    async post(path, body, signal) {
      for (let attempt = 1; ; attempt += 1) {
        const result = await exchange(connections.to(origin), { path, headers, body, signal });
        if (signal.aborted) throw new RagError('aborted', 'Cannot rerank: the request was cancelled');
        if (result.outcome === 'answered' || result.outcome === 'refused') return result;
        if (attempt >= tries[result.outcome]) throw unavailable(origin, result.why);
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)), signal);
      }
    },
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  };
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  readonly signal: AbortSignal;
}

type Setback = { readonly outcome: 'busy' | 'away'; readonly why: string };

async function exchange(
  { origin, dispatcher }: Way,
  { path, headers, body, signal }: Sent,
): Promise<HttpReply | Setback> {
  try {
    const { statusCode: status, body: answer } = await dispatcher.request({
      origin,
      path,
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal,
    });
    const text = await answer.text();
    if (status === 429 || status === 503) return { outcome: 'busy', why: `status ${status}` };
    if (status >= 500) return { outcome: 'away', why: `status ${status}` };
    if (status !== 200) return { outcome: 'refused', status, text };
    return parse(text);
  } catch (error) {
    return { outcome: 'away', why: messageOf(error) };
  }
}

/** What is no JSON may hold a passage: it is not repeated. */
function parse(text: string): HttpReply | Setback {
  try {
    return { outcome: 'answered', value: JSON.parse(text) as unknown };
  } catch {
    return { outcome: 'away', why: `${text.length} characters that are no JSON` };
  }
}

/** The loop looks at the signal after its next request, which ends at once. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

const unavailable = (origin: string, why: string): RagError =>
  new RagError(
    'model-unavailable',
    `Cannot rerank: the server at ${origin} gave no answer (${why}), one is wanted`,
  );
