import { digestBits, textHash } from '../../src/store/digest.ts';
import type { Ranked, Store } from '../../src/store/types.ts';
import type { Hit, Passage } from '../../src/work.ts';

export interface StoredHit extends Passage {
  readonly score: number;
}

export const storedHit = (chunk: string, text: string, more: Partial<StoredHit> = {}): StoredHit => ({
  chunk,
  document: `${chunk}.pdf`,
  id: `${chunk}.pdf`,
  title: `Title of ${chunk}`,
  file: `${chunk}.pdf`,
  page: null,
  pageEnd: null,
  start: 0,
  end: text.length,
  headings: [],
  text,
  score: 1,
  ...more,
});

export const hit = (chunk: string, text: string, more: Partial<Hit> = {}): Hit => ({
  ...storedHit(chunk, text),
  stage: 'fused',
  ...more,
});

const ranked = ({ chunk, score, text }: StoredHit): Ranked => ({
  chunk,
  score,
  digest: digestBits(textHash(text)),
});

/** A store that finds these, and has the passages that it has found. */
export function storeFinding(searches: {
  readonly dense: (vector: Float32Array, k: number) => readonly StoredHit[];
  readonly lexical: (text: string, k: number) => readonly StoredHit[];
}): Pick<Store, 'searchDense' | 'searchText' | 'passages'> {
  const known = new Map<string, Passage>();
  const note = (hits: readonly StoredHit[]): Ranked[] => {
    for (const { score: _score, ...passage } of hits) known.set(passage.chunk, passage);
    return hits.map(ranked);
  };
  return {
    searchDense: async (vectors, k) => vectors.map((vector) => note(searches.dense(vector, k))),
    searchText: async (texts, k) => texts.map((text) => note(searches.lexical(text, k))),
    passages: async (chunks) => chunks.flatMap((chunk) => known.get(chunk) ?? []),
  };
}
