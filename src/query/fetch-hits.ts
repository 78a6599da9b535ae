import type { Ranked, Store } from '../store/types.ts';
import type { Hit, Passage, Stage } from '../work.ts';

/** A passage that a stage has ranked; its text is still in the store. */
export interface Placed extends Ranked {
  readonly stage: Stage;
}

/**
 * The best of each ranking with their texts, all of them in one question to the store. A passage that was removed or
 * replaced since it was found is left out.
 *
 * @param count how many of each ranking
 */
export async function fetchHits(
  store: Pick<Store, 'passages'>,
  rankings: readonly (readonly Placed[])[],
  count: number,
): Promise<Hit[][]> {
  const best = rankings.map((ranking) => ranking.slice(0, count));
  const chunks = [...new Set(best.flat().map(({ chunk }) => chunk))];
  const found: readonly Passage[] = chunks.length === 0 ? [] : await store.passages(chunks);
  const passages = new Map(found.map((passage) => [passage.chunk, passage]));
  return best.map((ranking) =>
    ranking.flatMap(({ chunk, score, stage }) => {
      const passage = passages.get(chunk);
      return passage === undefined ? [] : [{ ...passage, score, stage }];
    }),
  );
}
