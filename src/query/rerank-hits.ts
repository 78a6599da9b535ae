import { RagError } from '../errors.ts';
import type { Rerank } from '../models/types.ts';
import type { Hit } from '../work.ts';
import { oneLine } from './contents.ts';

export interface RerankRequest {
  readonly query: string;
  readonly hits: readonly Hit[];
  readonly signal: AbortSignal;
}

export interface Reranked {
  readonly hits: readonly Hit[];
  /** False when there is no reranker or it failed: then the order is the fused one. */
  readonly reranked: boolean;
}

/**
 * Orders candidates by the reranker. A reranker that fails degrades the answer and never fails it; only an
 * aborted request throws. Equal scores keep the fused order.
 */
export async function rerankHits(
  rerank: Rerank | undefined,
  { query, hits, signal }: RerankRequest,
): Promise<Reranked> {
  if (rerank === undefined || hits.length === 0) return { hits, reranked: false };
  try {
    const scores = await rerank({ query, passages: hits.map(passageText), signal });
    return { hits: byScore(hits, scores), reranked: true };
  } catch {
    signal.throwIfAborted();
    return { hits, reranked: false };
  }
}

/** The title names what the text often only calls "it". */
const passageText = ({ title, text }: Hit): string =>
  title === '' || text.startsWith(title) ? text : `${oneLine(title)}\n${text}`;

function byScore(hits: readonly Hit[], scores: readonly number[]): Hit[] {
  if (scores.length !== hits.length || !scores.every(Number.isFinite))
    throw new RagError(
      'model-refused',
      `Cannot rerank: ${scores.length} scores came, one finite score for each of ${hits.length} passages is wanted`,
    );
  return hits
    .map((hit, i): Hit => ({ ...hit, score: scores[i] ?? 0, stage: 'reranked' }))
    .sort((a, b) => b.score - a.score);
}
