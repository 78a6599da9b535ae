/** What rerank servers are sent and what they answer. Pure. The shapes: facts of TEI, vLLM, llama-server, Cohere, Jina. */
import { RagError } from '../errors.ts';

/**
 * How a server wants its passages. `documents`: Cohere, Jina, vLLM and llama-server. `texts`: TEI. `pairs`: the score
 * routes of vLLM.
 */
export type Dialect = 'documents' | 'texts' | 'pairs';

export interface RerankQuestion {
  readonly query: string;
  readonly passages: readonly string[];
  /** Undefined: the server has only one, or does not ask. */
  readonly model: string | undefined;
}

export function makeBody(dialect: Dialect, { query, passages, model }: RerankQuestion): object {
  const named = model === undefined ? {} : { model };
  // TEI refuses what is longer than its model's context, unless it may cut.
  if (dialect === 'texts') return { query, texts: passages, truncate: true };
  if (dialect === 'pairs') return { ...named, text_1: query, text_2: passages };
  // Some servers give only the best ones when nothing is said.
  return { ...named, query, documents: passages, top_n: passages.length };
}

/** Passages in one request: TEI refuses more than 32 as it comes, Cohere more than 1,000. */
export const chunkOf: Readonly<Record<Dialect, number>> = { documents: 128, texts: 32, pairs: 128 };

/**
 * The scores in the order of the passages, as the server gave them: from 0 to 1, or logits.
 * @throws model-refused unless there is one finite score for each passage
 */
export function readRanking(answer: unknown, count: number): number[] {
  const scores = Array.from({ length: count }, () => Number.NaN);
  for (const entry of entriesOf(answer)) {
    const { index, score, relevance_score } = (entry ?? {}) as Record<string, unknown>;
    const value = score ?? relevance_score;
    if (typeof index !== 'number' || !(index in scores)) throw unusable(`an index is ${String(index)}`);
    if (!Number.isNaN(scores[index])) throw unusable(`index ${index} comes twice`);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw unusable(`a score is ${String(value)}`);
    scores[index] = value;
  }
  const missing = scores.findIndex(Number.isNaN);
  if (missing >= 0) throw unusable(`passage ${missing} has no score`);
  return scores;
}

/** A bare array, or one under `results` or `data`. */
function entriesOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer as unknown[];
  const { results, data } = (answer ?? {}) as Record<string, unknown>;
  const entries = results ?? data;
  if (!Array.isArray(entries)) throw unusable('it holds no list of results');
  return entries as unknown[];
}

export const areLogits = (scores: readonly number[]): boolean =>
  scores.some((score) => score < 0 || score > 1);

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

const unusable = (is: string): RagError =>
  new RagError(
    'model-refused',
    `Cannot use the answer of the reranker: ${is}, one finite score for each passage is wanted`,
  );
