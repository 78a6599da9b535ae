import type { Rerank } from '../models/types.ts';
import type { Hit, RetrieveRequest } from '../work.ts';
import type { RetrievalCache } from './cache.ts';
import { type CandidateParts, makeFindCandidates } from './candidates.ts';
import { rerankHits } from './rerank-hits.ts';
import { makeTurns } from './turns.ts';

export interface RetrieveParts extends CandidateParts {
  /** Undefined: requests that ask for reranking get the fused order. */
  readonly rerank?: Rerank | undefined;
  readonly cache: RetrievalCache;
}

export type Retrieve = (request: RetrieveRequest) => Promise<Hit[][]>;

/**
 * Queries searched at once. 4,096 queries with two rankings of 100 passages would be more than a gigabyte of
 * text; of 64 it is some 25 MB, and each group is cut to `topk` before the next one comes.
 */
const QUERIES_PER_GROUP = 64;

/** Of one request: embedders of several GPUs work for it at once, and search goes on while the next group is embedded. */
const GROUPS_PER_REQUEST = 4;

/** Of all requests together. Groups take turns, so that a single query never waits for thousands of another. */
const GROUPS_AT_ONCE = 8;

/** What was found for one query. */
interface Found {
  readonly hits: readonly Hit[];
  /** False when a stage failed or refused the query: the next time it may not. */
  readonly whole: boolean;
}

type Search = Omit<RetrieveRequest, 'queries'>;

/** Equal queries are computed once: RL rollouts repeat theirs (2 queries x 200 in Search-R1's own example). */
export function makeRetrieve(parts: RetrieveParts): Retrieve {
  const { cache, store } = parts;
  const searchGroup = makeSearchGroup(parts);
  const inTurn = makeTurns(GROUPS_AT_ONCE);
  return async ({ queries, ...search }) => {
    const version = await store.version();
    cache.at(version);
    const keyOf = (query: string): string => keyFor(search, query);
    const distinct = [...new Set(queries)].map((query) => ({ query, hits: cache.get(keyOf(query)) }));
    const found = new Map(distinct.map(({ query, hits = [] }) => [query, hits]));
    const unknown = distinct.filter(({ hits }) => hits === undefined).map(({ query }) => query);
    await forEachGroup(unknown, search.signal, async (group, signal) => {
      const results = await inTurn(() => searchGroup(group, { ...search, signal }), signal);
      for (const [i, { hits, whole }] of results.entries()) {
        const query = group[i] ?? '';
        found.set(query, hits);
        if (whole) cache.set(keyOf(query), hits, version);
      }
    });
    const computed = unknown.length; // once, however often the request was tried again
    cache.count({ queries: queries.length, computed, cached: distinct.length - computed });
    return queries.map((query) => [...(found.get(query) ?? [])]);
  };
}

/** All that can differ from one request to the next; models and settings stay what they are for a whole run. */
const keyFor = ({ topk, rerank = false, candidates, filter = [] }: Search, query: string): string =>
  `${topk} ${rerank ? (candidates ?? 'all') : 'fused'} ${JSON.stringify(filter)} ${query}`;

/** The first error ends the groups that are under way, and is thrown when they have ended. */
async function forEachGroup(
  queries: readonly string[],
  signal: AbortSignal,
  work: (group: readonly string[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  let from = 0;
  const worker = async (): Promise<void> => {
    while (from < queries.length && !failure.signal.aborted) {
      const group = queries.slice(from, (from += QUERIES_PER_GROUP));
      await work(group, either).catch((error: unknown) => failure.abort(error));
    }
  };
  await Promise.all(Array.from({ length: GROUPS_PER_REQUEST }, worker));
  failure.signal.throwIfAborted();
}

function makeSearchGroup(
  parts: RetrieveParts,
): (group: readonly string[], search: Search) => Promise<Found[]> {
  const findCandidates = makeFindCandidates(parts);
  return async (group, { topk, rerank = false, candidates, filter, signal }) => {
    const texts = rerank && parts.rerank !== undefined ? candidates : topk;
    const results: Found[] = [];
    for (const [i, { hits, whole }] of (
      await findCandidates(group, { topk, texts, filter, signal })
    ).entries()) {
      const best = rerank
        ? await rerankHits(parts.rerank, {
            query: group[i] ?? '',
            hits: hits.slice(0, candidates),
            signal,
          })
        : { hits, reranked: true };
      const complete = whole && (best.reranked || parts.rerank === undefined || hits.length === 0);
      results.push({ hits: best.hits.slice(0, topk), whole: complete });
    }
    return results;
  };
}
