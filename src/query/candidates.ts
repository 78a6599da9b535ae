import { codeOf } from '../errors.ts';
import type { Embed } from '../models/types.ts';
import type { Ranked, Store } from '../store/types.ts';
import type { Filter, Hit } from '../work.ts';
import { fetchHits, type Placed } from './fetch-hits.ts';
import { fuse } from './fuse.ts';

export interface CandidateSettings {
  /** Depth of each ranking that is fused (RAG_CANDIDATES). */
  readonly candidates: number;
  /** The constant of reciprocal rank fusion (RAG_RRF_K). */
  readonly rrfK: number;
  /** False: vectors alone are searched. */
  readonly lexical?: boolean;
  /** Depth of each ranking for each hit that is wanted, where that is more than `candidates`. */
  readonly depthPerHit?: number;
}

/** What the index has for one query, before any reranking. */
export interface Candidates {
  /** The best of them that were asked for, no two with the same text. Of two rankings fused; one alone keeps its scores. */
  readonly hits: readonly Hit[];
  /** How many hits BM25 alone had: none means that no word of the question is in the index. */
  readonly lexical: number;
  /** False when the embedder refused the query, which was searched by words alone. */
  readonly whole: boolean;
}

/** Vectors of passages, and what makes those of queries. */
export interface DenseRanking {
  readonly store: Pick<Store, 'searchDense'>;
  readonly embed: Embed;
}

export interface CandidateParts {
  readonly store: Store;
  /** Undefined: words alone are searched. */
  readonly embed: Embed | undefined;
  /** Other vectors of the same passages, by other encoders. */
  readonly further?: readonly DenseRanking[];
  readonly settings: CandidateSettings;
}

export interface CandidateSearch {
  /** How many hits the caller will show: the rankings that are fused are at least so deep. */
  readonly topk: number;
  /** How many hits are wanted with their texts, which are not read of the others; all when absent. */
  readonly texts?: number | undefined;
  readonly filter?: Filter | undefined;
  readonly signal: AbortSignal;
}

/** One entry per query, in order. */
export type FindCandidates = (queries: readonly string[], search: CandidateSearch) => Promise<Candidates[]>;

export const nothing: Candidates = { hits: [], lexical: 0, whole: true };

/**
 * Dense and lexical search at once, fused; either alone where there is no other. A blank query finds nothing (a model server
 * gives an empty text no vector); a query that the embedder cannot take (too long, a vector that is not finite) is searched by words
 * alone, so that one bad query of a batch never costs the others their answer.
 */
export function makeFindCandidates(parts: CandidateParts): FindCandidates {
  const { store, settings } = parts;
  const dense = denseRankings(parts);
  return async (queries, { topk, texts: wanted = Infinity, filter, signal }) => {
    const texts = queries.filter((query) => query.trim() !== '');
    if (texts.length === 0) return queries.map(() => nothing);
    const k = Math.max(topk * (settings.depthPerHit ?? 1), settings.candidates);
    const [lexical, ...near] = await Promise.all([
      settings.lexical === false ? undefined : store.searchText(texts, k, filter),
      ...dense.map((ranking) => searchDense(ranking, { texts, k, filter, signal })),
    ]);
    signal.throwIfAborted();
    const placed = texts.map((_, i) =>
      combine(
        near.map((lists) => lists[i] ?? []),
        lexical?.[i],
        settings.rrfK,
      ),
    );
    const hits = await fetchHits(store, placed, wanted);
    signal.throwIfAborted();
    const found = texts.map((_, i) => ({
      hits: hits[i] ?? [],
      lexical: lexical?.[i]?.length ?? 0,
      whole: near.every((lists) => lists[i] !== undefined),
    }));
    let next = 0;
    return queries.map((query) => (query.trim() === '' ? nothing : (found[next++] ?? nothing)));
  };
}

export const denseRankings = ({ store, embed, further = [] }: CandidateParts): DenseRanking[] =>
  embed === undefined ? [] : [{ store, embed }, ...further];

interface DenseSearch {
  readonly texts: readonly string[];
  readonly k: number;
  readonly filter?: Filter | undefined;
  readonly signal: AbortSignal;
}

/** Undefined for a text that the embedder refuses. */
export async function searchDense(
  { store, embed }: DenseRanking,
  { texts, k, filter, signal }: DenseSearch,
): Promise<(Ranked[] | undefined)[]> {
  const { positions, vectors } = await embedWhatCan(embed, texts, signal);
  const lists = vectors.length === 0 ? [] : await store.searchDense(vectors, k, filter);
  const results: (Ranked[] | undefined)[] = texts.map(() => undefined);
  for (const [i, position] of positions.entries()) results[position] = lists[i] ?? [];
  return results;
}

async function embedWhatCan(
  embed: Embed,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<{ positions: number[]; vectors: Float32Array[] }> {
  const positions = [...texts.keys()];
  while (positions.length > 0) {
    try {
      const batch = positions.map((position) => texts[position] ?? '');
      return { positions, vectors: await embed({ texts: batch, kind: 'query', signal }) };
    } catch (error) {
      const refused = refusedText(error);
      if (refused === undefined || refused >= positions.length) throw error;
      positions.splice(refused, 1);
    }
  }
  return { positions, vectors: [] };
}

/** Position of the text that the embedder will never take, when the error is about one text. */
function refusedText(error: unknown): number | undefined {
  const code = codeOf(error);
  if (code !== 'too-long' && code !== 'bad-vector') return undefined;
  const index = (error as { index?: unknown }).index;
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : undefined;
}

/**
 * @param dense one ranking for each encoder; an empty one has found nothing
 * @param lexical undefined: nobody has searched by words
 */
export function combine(
  dense: readonly (readonly Ranked[])[],
  lexical: readonly Ranked[] | undefined,
  rrfK: number,
): Placed[] {
  const [first = [], ...others] = lexical === undefined ? dense : [...dense, lexical];
  const stage = lexical === undefined ? 'dense' : 'lexical';
  if (others.length === 0) return distinct(first.map((hit) => ({ ...hit, stage })));
  return distinct(
    fuse([first, ...others], rrfK).map(({ hit, score }) => ({ ...hit, score, stage: 'fused' })),
  );
}

/** Of equal texts the best. */
function distinct(ranking: readonly Placed[]): Placed[] {
  const texts = new Set<number>();
  return ranking.filter(({ digest }) => !texts.has(digest) && texts.add(digest));
}
