/** What the store does with vectors of questions. */
import { filterSql } from './filter-sql.ts';
import { keepNear, vectorIndexFigures } from './near.ts';
import type { Operations } from './protocol.ts';
import { readRecord } from './record.ts';
import { searchDense } from './search-dense.ts';
import { makeTuner } from './tuner.ts';
import type { EncoderRecord } from './types.ts';
import type { View } from './view.ts';

/** @param reading gives the tables of the moment */
export function makeDense(
  root: string,
  reading: <Out>(read: (view: View) => Promise<Out>) => Promise<Out>,
): Pick<Operations, 'searchDense' | 'samples' | 'tune' | 'vectorIndex'> {
  const near = keepNear(root);
  const tuner = makeTuner(root);
  // It is written once, and every question needs it.
  let recorded: EncoderRecord | null = null;
  const record = async (): Promise<EncoderRecord | null> => (recorded ??= await readRecord(root));
  return {
    searchDense: (vectors, k, filter) =>
      reading(async (view) => {
        const encoder = await record();
        if (encoder === null) return vectors.map(() => []);
        tuner.note(vectors);
        const where = filterSql(filter);
        return searchDense(view, vectors, { encoder, k, where, near: await near.of(view.main, encoder) });
      }),
    samples: () => reading(async ({ main }) => (main === undefined ? [] : tuner.samples(main))),
    tune: (questions, depth) =>
      reading(async ({ main }) => {
        const encoder = await record();
        if (main === undefined || encoder === null) return null;
        const tuning = await tuner.tune(main, encoder, { questions, depth, now: new Date() });
        near.forget();
        return tuning;
      }),
    vectorIndex: () => reading(({ main }) => vectorIndexFigures(root, main)),
  };
}
