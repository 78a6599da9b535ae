/** What each stage of retrieval makes of a question, for a comparison of the stages. */
import type { Rerank } from '../../models/types.ts';
import type { Hit, Stage } from '../../work.ts';
import { combine, searchDense, type CandidateParts } from '../candidates.ts';
import { rerankHits } from '../rerank-hits.ts';
import type { Scored } from './measures.ts';

export interface StageParts extends CandidateParts {
  readonly rerank?: Rerank | undefined;
}

/** Documents of one question by stage, best first. A stage that the job does not have is missing. */
export type StageRankings = Readonly<Partial<Record<Stage, readonly Scored[]>>>;

/** One entry per question, in order. `failed`: the reranker did not answer, which may pass. */
export type FindStages = (
  /** None is blank. */
  texts: readonly string[],
  depth: number,
  signal: AbortSignal,
) => Promise<(StageRankings | 'failed')[]>;

/** Passages looked at for each document that a ranking shall have: long documents have several among the best. */
const PASSAGES_PER_DOCUMENT = 3;

/**
 * The stages as a query walks through them: both searches, their fusion at the depth that is in force, and all fused
 * candidates reranked. The two searches alone go deeper, so that their rankings have `depth` documents.
 */
export function makeFindStages({ store, embed, rerank, settings }: StageParts): FindStages {
  const stagesOf = async (
    query: string,
    [dense, lexical]: readonly [readonly Hit[], readonly Hit[]],
    { depth, signal }: { readonly depth: number; readonly signal: AbortSignal },
  ): Promise<StageRankings | 'failed'> => {
    const fusedDepth = Math.max(depth, settings.candidates);
    const { hits } = combine(dense.slice(0, fusedDepth), lexical.slice(0, fusedDepth), settings.rrfK);
    const found = {
      lexical: bestPassages(lexical, depth),
      dense: bestPassages(dense, depth),
      fused: bestPassages(hits, depth),
    };
    if (rerank === undefined) return found;
    const best = await rerankHits(rerank, { query, hits, signal });
    return best.reranked || hits.length === 0
      ? { ...found, reranked: bestPassages(best.hits, depth) }
      : 'failed';
  };

  return async (texts, depth, signal) => {
    const k = Math.max(PASSAGES_PER_DOCUMENT * depth, settings.candidates);
    const [dense, lexical] = await Promise.all([
      searchDense({ store, embed }, { texts, k, signal }),
      store.searchText(texts, k),
    ]);
    signal.throwIfAborted();
    const results: (StageRankings | 'failed')[] = [];
    for (const [at, text] of texts.entries()) {
      const lists = [asHits(dense[at], 'dense'), asHits(lexical[at], 'lexical')] as const;
      results.push(await stagesOf(text, lists, { depth, signal }));
    }
    return results;
  };
}

const asHits = (list: readonly Omit<Hit, 'stage'>[] | undefined, stage: Stage): Hit[] =>
  (list ?? []).map((hit) => ({ ...hit, stage }));

/** A document is where its best passage is. @param hits best first */
export function bestPassages(hits: readonly Hit[], depth: number): Scored[] {
  const documents = new Map<string, Scored>();
  for (const { id, score } of hits) {
    if (documents.has(id)) continue;
    if (documents.size === depth) break;
    documents.set(id, { document: id, score });
  }
  return [...documents.values()];
}
