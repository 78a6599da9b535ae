import type { Rerank } from '../models/types.ts';
import type { Hit, RetrieveRequest } from '../work.ts';
import { type CandidateParts, makeFindCandidates } from './candidates.ts';
import { rerankHits } from './rerank-hits.ts';

export interface RetrieveParts extends CandidateParts {
  /** Undefined: requests that ask for reranking get the fused order. */
  readonly rerank?: Rerank | undefined;
}

export type Retrieve = (request: RetrieveRequest) => Promise<Hit[][]>;

/**
 * Queries searched at once. 4,096 queries with two rankings of 100 passages would be more than a gigabyte of
 * text; of 64 it is some 25 MB, and each group is cut to `topk` before the next one comes.
 */
const QUERIES_PER_GROUP = 64;

/** Equal queries are computed once: RL rollouts repeat theirs (2 queries x 200 in Search-R1's own example). */
export function makeRetrieve(parts: RetrieveParts): Retrieve {
  const findCandidates = makeFindCandidates(parts);
  return async ({ queries, topk, rerank = false, candidates, signal }) => {
    const found = new Map<string, readonly Hit[]>();
    const distinct = [...new Set(queries)];
    for (let from = 0; from < distinct.length; from += QUERIES_PER_GROUP) {
      signal.throwIfAborted();
      const group = distinct.slice(from, from + QUERIES_PER_GROUP);
      const lists = await findCandidates(group, topk, signal);
      for (const [i, query] of group.entries()) {
        const hits = lists[i]?.hits ?? [];
        const best = rerank
          ? await rerankHits(parts.rerank, { query, hits: hits.slice(0, candidates), signal })
          : { hits };
        found.set(query, best.hits.slice(0, topk));
      }
    }
    return queries.map((query) => [...(found.get(query) ?? [])]);
  };
}
