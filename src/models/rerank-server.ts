/** Scores from a reranker that runs elsewhere: TEI, vLLM, llama-server, or a service like Cohere's or Jina's. */
import { RagError } from '../errors.ts';
import { areLogits, chunkOf, makeBody, readRanking, sigmoid } from './rerank-answers.ts';
import { openRerankHttp, type RerankHttpOptions } from './rerank-http.ts';
import { findRoute, type AskServer, type Route } from './rerank-routes.ts';
import type { Rerank } from './types.ts';

export interface RerankServerOptions extends Omit<RerankHttpOptions, 'origin'> {
  /** Of the server, or of its rerank route. */
  readonly url: string;
  /** Undefined: the server has only one, or does not ask. */
  readonly model: string | undefined;
  /** For one list of passages, however often it is tried. */
  readonly timeoutMs?: number;
}

/** Disposing it cuts what is still running. */
export interface RerankServer extends AsyncDisposable {
  readonly rerank: Rerank;
  /** How the server wants to be asked, found once; `rerank` finds it too. @throws see `findRoute` */
  find(signal: AbortSignal): Promise<Route>;
}

export function openRerankServer(options: RerankServerOptions): RerankServer {
  const { url, model, timeoutMs = 120_000, ...rest } = options;
  const http = openRerankHttp({ ...rest, origin: new URL(url).origin });
  const ask: AskServer = ({ path, dialect }, query, passages, signal) =>
    http.post(path, makeBody(dialect, { query, passages, model }), signal);
  let route: Route | undefined;
  /** A server that has given logits once gives them always, also where all of a list are between 0 and 1. */
  let givesLogits = false;
  const find = async (signal: AbortSignal): Promise<Route> => (route ??= await findRoute(url, ask, signal));

  const rerank: Rerank = async ({ query, passages, signal }) => {
    if (passages.length === 0) return [];
    const scores = await within(timeoutMs, signal, async (bounded) =>
      scoreAll(ask, await find(bounded), query, passages, bounded),
    );
    givesLogits ||= areLogits(scores);
    return givesLogits ? scores.map(sigmoid) : scores;
  };
  return { find, rerank, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

/** Requests of one list that are under way at once. */
const chunksAtOnce = 4;

async function scoreAll(
  ask: AskServer,
  route: Route,
  query: string,
  passages: readonly string[],
  signal: AbortSignal,
): Promise<number[]> {
  const size = chunkOf[route.dialect];
  const chunks = Array.from({ length: Math.ceil(passages.length / size) }, (_, at) =>
    passages.slice(at * size, (at + 1) * size),
  );
  const scores: number[] = [];
  for (let at = 0; at < chunks.length; at += chunksAtOnce) {
    const some = chunks.slice(at, at + chunksAtOnce);
    const lists = await Promise.all(some.map((chunk) => scoreChunk(ask, route, query, chunk, signal)));
    scores.push(...lists.flat());
  }
  return scores;
}

/** In halves where a server is set to take fewer passages than it does as it comes. */
async function scoreChunk(
  ask: AskServer,
  route: Route,
  query: string,
  passages: readonly string[],
  signal: AbortSignal,
): Promise<number[]> {
  const reply = await ask(route, query, passages, signal);
  if (reply.outcome === 'answered') return readRanking(reply.value, passages.length);
  if (reply.status !== 413 || passages.length === 1) throw refused(route, reply.status);
  const half = Math.ceil(passages.length / 2);
  const first = await scoreChunk(ask, route, query, passages.slice(0, half), signal);
  return [...first, ...(await scoreChunk(ask, route, query, passages.slice(half), signal))];
}

async function within<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (bounded: AbortSignal) => Promise<T>,
): Promise<T> {
  // A timer that is cleared: `AbortSignal.timeout` keeps what hangs on it until the time is up.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    throw new RagError(
      'model-unavailable',
      `Cannot rerank: no answer came within ${timeoutMs / 1000} s, one is wanted`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What the server says of it may hold the passages: it stays there. */
const refused = ({ path }: Route, status: number): RagError =>
  new RagError('model-refused', `Cannot rerank: ${path} answers with status ${status}, scores are wanted`);
