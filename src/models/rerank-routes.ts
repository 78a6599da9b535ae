/** Which path and which words a rerank server understands, found by trial: the address of a server tells neither. */
import { messageOf, RagError } from '../errors.ts';
import { readRanking, type Dialect } from './rerank-answers.ts';
import type { HttpReply } from './rerank-http.ts';

/** How a server wants to be asked. */
export interface Route {
  readonly path: string;
  readonly dialect: Dialect;
}

/** One query and its passages, sent by a route. */
export type AskServer = (
  route: Route,
  query: string,
  passages: readonly string[],
  signal: AbortSignal,
) => Promise<HttpReply>;

/** What may work, in the order in which it is tried. A path that names a rerank route is taken as it is. */
function routesOf(url: string): readonly Route[] {
  const { pathname, search } = new URL(url);
  const base = pathname.replace(/\/+$/u, '');
  const by = (path: string, ...dialects: readonly Dialect[]): Route[] =>
    dialects.map((dialect) => ({ path: `${path}${search}`, dialect }));
  if (base.endsWith('/score')) return by(base, 'pairs');
  if (/\/rerank(?:ing)?$/u.test(base)) return by(base, 'documents', 'texts');
  return [...by(`${base}/rerank`, 'documents', 'texts'), ...by(`${base}/v1/rerank`, 'documents')];
}

const trial = { query: 'Is it ready?', passages: ['It is ready.', 'Trains leave at ten.'] } as const;

/** @throws preflight when the server understands none; model-unavailable when nobody answers; aborted */
export async function findRoute(url: string, ask: AskServer, signal: AbortSignal): Promise<Route> {
  const refusals: string[] = [];
  for (const route of routesOf(url)) {
    const reply = await ask(route, trial.query, trial.passages, signal);
    const why = whyUnusable(reply);
    if (why === undefined) return route;
    refusals.push(`${route.path} with ${route.dialect}: ${why}`);
    if (reply.outcome === 'refused' && [401, 403].includes(reply.status)) throw notLetIn(url, reply.status);
  }
  throw notUnderstood(url, refusals);
}

function whyUnusable(reply: HttpReply): string | undefined {
  if (reply.outcome === 'refused')
    return `status ${reply.status} ${reply.text.replaceAll(/\s+/gu, ' ').slice(0, 200)}`.trim();
  try {
    readRanking(reply.value, trial.passages.length);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const notLetIn = (url: string, status: number): RagError =>
  new RagError('preflight', `Cannot use RERANKER_URL=${url}: it answers ${status}, a valid key is wanted`, {
    hint: 'export RERANKER_KEY_FILE=$HOME/.reranker-key   # the key, chmod 600',
  });

const notUnderstood = (url: string, refusals: readonly string[]): RagError =>
  new RagError(
    'preflight',
    `Cannot use RERANKER_URL=${url}: it understands none of our questions (${refusals.join('; ')}), a rerank route of TEI, vLLM, llama-server, Cohere or Jina is wanted`,
    {
      hint: 'export RERANKER_URL=http://HOST:PORT/v1/rerank   # and RERANKER_MODEL where the server wants a name',
    },
  );
