import type { Table, VectorQuery } from '@lancedb/lancedb';
import type { Vector } from 'apache-arrow';
import { comparison, type StoredVector } from './compare.ts';
import { compressedQuery, exactQuery, type Nearest } from './nearest.ts';
import type { Near } from './near.ts';
import type { StoredRow } from '../write/rows.ts';
import { rankColumns } from '../schema.ts';
import { found, mapLimited, search, type Found } from './search.ts';
import { makeProbe } from '../vector-index/tuning.ts';
import type { EncoderRecord, Ranked } from '../types.ts';
import type { View } from '../view.ts';

export interface DenseSearch {
  readonly encoder: EncoderRecord;
  readonly k: number;
  /** SQL: only rows of which it is true. */
  readonly where: string | undefined;
  /** How main is searched; shards are searched row by row. */
  readonly near: Near;
}

/** One ranking for each vector, best first. */
export const searchDense = (
  view: View,
  vectors: readonly Float32Array[],
  { encoder: { metric }, k, where, near }: DenseSearch,
): Promise<Ranked[][]> =>
  mapLimited(vectors, (vector) => {
    const question = metric === 'cosine' ? toUnit(vector) : vector;
    return search(view, k, (table, limit) => {
      const what = { question, metric, limit, where };
      return table === view.main ? nearestIn(table, near, what) : compareAll(table, what);
    });
  });

/** The codes give candidates, whole vectors their order. */
async function nearestIn(table: Table, { tuning, resident }: Near, what: Nearest): Promise<Found[]> {
  if (tuning?.search !== 'compressed') return compareAll(table, what);
  const { limit, where } = what;
  const { nprobes, candidates } = makeProbe(tuning, { limit, isFiltered: where !== undefined });
  const kept = resident();
  if (kept === undefined) {
    const query = compressedQuery(table, { ...what, nprobes });
    return readRows(query.refineFactor(Math.ceil(candidates / limit)), what);
  }
  const coded = await compressedQuery(table, { ...what, nprobes, limit: candidates }).toArrow();
  if (coded.numRows === 0) return [];
  return kept.rank(what.question, coded.getChild('_rowid')?.toArray() as BigUint64Array, limit);
}

const compareAll = (table: Table, what: Nearest): Promise<Found[]> => readRows(exactQuery(table, what), what);

async function readRows(query: VectorQuery, { question, metric }: Nearest): Promise<Found[]> {
  const compare = comparison(metric, question.length);
  const rows: StoredRow[] = await query.select([...rankColumns, 'vector', '_distance']).toArray();
  const scored = rows.map((row) => {
    const vector = (row['vector'] as Vector).toArray() as StoredVector;
    return found(row, compare(question, vector, 0));
  });
  return scored.sort((a, b) => b.score - a.score);
}

export function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
