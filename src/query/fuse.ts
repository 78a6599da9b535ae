/** A hit of one ranking, reduced to what fusion needs. */
interface Ranked {
  readonly chunk: string;
}

export interface Fused<T> {
  readonly hit: T;
  /** Sum of 1 / (k + rank) over the rankings that hold the chunk, ranks from 1. */
  readonly score: number;
}

/**
 * Reciprocal rank fusion. It needs no calibration: cosines and BM25 scores live on different scales, ranks do
 * not. Ties are broken by chunk id, so that the same rankings always give the same order.
 *
 * @param rankings each best first; a chunk that stands twice in one ranking counts once, at its better rank
 * @param k dampens the top ranks; 60 in the original publication and in FlashRAG, 100 in MedRAG
 */
export function fuse<T extends Ranked>(rankings: readonly (readonly T[])[], k: number): Fused<T>[] {
  const fused = new Map<string, Fused<T>>();
  for (const ranking of rankings) {
    const seen = new Set<string>();
    for (const [position, hit] of ranking.entries()) {
      if (seen.has(hit.chunk)) continue;
      seen.add(hit.chunk);
      const before = fused.get(hit.chunk);
      fused.set(hit.chunk, {
        hit: before?.hit ?? hit,
        score: (before?.score ?? 0) + 1 / (k + position + 1),
      });
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || (a.hit.chunk < b.hit.chunk ? -1 : 1));
}
