/** What each stage of retrieval makes of a question, for a comparison of the stages. */
import type { Rerank } from '../../models/types.ts';
import type { Ranked } from '../../store/types.ts';
import type { Filter, Hit, Stage } from '../../work.ts';
import { combine, denseRankings, searchDense, type CandidateParts } from '../candidates.ts';
import { fetchHits, type Placed } from '../fetch-hits.ts';
import { rerankHits } from '../rerank-hits.ts';
import { holdsAnswer } from './answers.ts';
import type { Scored } from './measures.ts';
import type { Question } from './questions.ts';

export interface StageParts extends CandidateParts {
  readonly rerank?: Rerank | undefined;
}

/** What a stage found for one question. */
export interface StageRanking {
  /** Best first. */
  readonly documents: readonly Scored[];
  /** Place, from 1, of the first passage that holds a wanted answer; null: none does, or none is wanted. */
  readonly answerAt: number | null;
}

/** By stage. A stage that the job does not have is missing. */
export type StageRankings = Readonly<Partial<Record<Stage, StageRanking>>>;

/** Its text is never blank. */
export type AskedQuestion = Pick<Question, 'text' | 'golden'>;

/** One entry per question, in order. `failed`: the reranker did not answer, which may pass. */
export type FindStages = (
  questions: readonly AskedQuestion[],
  depth: number,
  signal: AbortSignal,
  filter?: Filter,
) => Promise<(StageRankings | 'failed')[]>;

/** Passages looked at for each document that a ranking shall have: long documents have several among the best. */
const PASSAGES_PER_DOCUMENT = 3;

/**
 * The stages as a query walks through them: both searches, their fusion at the depth that is in force, and all
 * candidates reranked; of several encoders the first is the dense stage, and of a retriever that searches in one way that search alone. A search alone goes deeper, so that
 * its ranking has `depth` documents.
 */
export function makeFindStages(parts: StageParts): FindStages {
  const { store, rerank, settings } = parts;
  const rankings = denseRankings(parts);
  const stagesOf = async (
    { text: query, golden }: AskedQuestion,
    [lexical, ...near]: readonly [readonly Ranked[] | undefined, ...(readonly Ranked[])[]],
    { depth, signal }: { readonly depth: number; readonly signal: AbortSignal },
  ): Promise<StageRankings | 'failed'> => {
    const fusedDepth = Math.max(depth * (settings.depthPerHit ?? 1), settings.candidates);
    const atDepth = near.map((list) => list.slice(0, fusedDepth));
    const fused = combine(atDepth, lexical?.slice(0, fusedDepth), settings.rrfK);
    const [dense] = near;
    const lists = [placed(dense, 'dense'), placed(lexical, 'lexical'), fused];
    const [denseHits = [], lexicalHits = [], hits = []] = await fetchHits(store, lists, Infinity);
    const ranking = (list: readonly Hit[]): StageRanking => ({
      documents: bestPassages(list, depth),
      answerAt: placeOfAnswer(list.slice(0, depth), golden),
    });
    const found = {
      ...(lexical && { lexical: ranking(lexicalHits) }),
      ...(dense && { dense: ranking(denseHits) }),
      ...(lexical && dense && { fused: ranking(hits) }),
    };
    if (rerank === undefined) return found;
    const best = await rerankHits(rerank, { query, hits, signal });
    return best.reranked || hits.length === 0 ? { ...found, reranked: ranking(best.hits) } : 'failed';
  };

  return async (questions, depth, signal, filter) => {
    const texts = questions.map(({ text }) => text);
    const k = Math.max(PASSAGES_PER_DOCUMENT * depth, settings.candidates);
    const [lexical, ...near] = await Promise.all([
      settings.lexical === false ? undefined : store.searchText(texts, k, filter),
      ...rankings.map((ranking) => searchDense(ranking, { texts, k, filter, signal })),
    ]);
    signal.throwIfAborted();
    const results: (StageRankings | 'failed')[] = [];
    for (const [at, question] of questions.entries()) {
      const lists = [lexical && (lexical[at] ?? []), ...near.map((list) => list[at] ?? [])] as const;
      results.push(await stagesOf(question, lists, { depth, signal }));
    }
    return results;
  };
}

const placed = (ranking: readonly Ranked[] | undefined, stage: Stage): Placed[] =>
  (ranking ?? []).map((ranked) => ({ ...ranked, stage }));

function placeOfAnswer(hits: readonly Hit[], golden: readonly string[]): number | null {
  if (golden.length === 0) return null;
  const at = hits.findIndex(({ title, text }) => holdsAnswer(`${title}\n${text}`, golden));
  return at < 0 ? null : at + 1;
}

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
