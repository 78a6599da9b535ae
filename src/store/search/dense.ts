/** What the store does with vectors of questions. */
import { filterSql } from './filter-sql.ts';
import { type CurrentNear, vectorIndexFigures } from './near.ts';
import type { Operations } from '../wire/protocol.ts';
import { searchDense } from './search-dense.ts';
import { makeTuner } from '../vector-index/tuner.ts';
import type { View } from '../view.ts';

/** @param reading gives the tables of the moment */
export function makeDense(
  root: string,
  near: CurrentNear,
  reading: <Out>(read: (view: View) => Promise<Out>) => Promise<Out>,
): Pick<Operations, 'searchDense' | 'samples' | 'tune' | 'vectorIndex'> {
  const tuner = makeTuner(root);
  return {
    searchDense: (vectors, k, filter) =>
      reading(async (view) => {
        const encoder = await near.encoder();
        if (encoder === null) return vectors.map(() => []);
        tuner.note(vectors);
        const where = filterSql(filter);
        return searchDense(view, vectors, { encoder, k, where, near: await near.of(view.main) });
      }),
    samples: () => reading(async ({ main }) => (main === undefined ? [] : tuner.samples(main))),
    tune: (questions, depth) =>
      reading(async ({ main }) => {
        const encoder = await near.encoder();
        if (main === undefined || encoder === null) return null;
        const tuning = await tuner.tune(main, encoder, { questions, depth, now: new Date() });
        near.forget();
        return tuning;
      }),
    vectorIndex: () => reading(({ main }) => vectorIndexFigures(root, main)),
  };
}
