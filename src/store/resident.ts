import os from 'node:os';
import process from 'node:process';
import type { Table } from '@lancedb/lancedb';
import type { RecordBatch, Vector } from 'apache-arrow';
import { comparison, type Comparison, type StoredVector } from './compare.ts';
import { rankColumns } from './schema.ts';
import { found, type Found } from './search.ts';
import type { Metric } from './types.ts';

/**
 * What the host keeps of main in memory: the vectors, and what a ranking needs of each row. To read 432 candidates
 * from the table takes 6 ms, and each column of 108 hits one more; here all of it takes 0.8 ms. 100k x 1024 half
 * floats are 230 MB, read in 0.3 s.
 */
export interface Resident {
  /**
   * Compares rows with a question by their whole vectors. Best first.
   * @param limit how many of the best are told
   */
  rank(question: Float32Array, rowIds: BigUint64Array, limit: number): Found[];
}

/** As Arrow has read them: nothing is copied. */
interface Batch {
  /** Place of its first row among all. */
  readonly start: number;
  readonly vectors: StoredVector;
  /** By the name of the column. */
  readonly columns: readonly (readonly [string, Vector | null])[];
}

/** Beyond it they stay on the disk. */
const maxBytes = (): number =>
  Math.min(2 ** 30, Math.min(process.constrainedMemory() || Infinity, os.totalmem()) / 8);

/** Ids, keys and hashes of a row. */
const bytesBesideVector = 250;

/** @returns undefined where main is too large */
export async function readResident(
  main: Table,
  dimensions: number,
  metric: Metric,
): Promise<Resident | undefined> {
  const rows = await main.countRows();
  if (rows * (2 * dimensions + bytesBesideVector) > maxBytes()) return undefined;
  const query = main.query().select(['vector', ...rankColumns]);
  const rowIds = new BigUint64Array(rows);
  const batches: Batch[] = [];
  let read = 0;
  for await (const batch of query.withRowId()) {
    rowIds.set(batch.getChild('_rowid')?.toArray() as BigUint64Array, read);
    batches.push({
      start: read,
      vectors: valuesOf(batch),
      columns: rankColumns.map((name) => [name, batch.getChild(name)]),
    });
    read += batch.numRows;
  }
  return makeResident({ rowIds, batches, dimensions, compare: comparison(metric, dimensions) });
}

const valuesOf = (batch: RecordBatch): Batch['vectors'] =>
  batch.getChild('vector')?.data[0]?.children[0]?.values as Batch['vectors'];

interface Parts {
  readonly rowIds: BigUint64Array;
  readonly batches: readonly Batch[];
  readonly dimensions: number;
  readonly compare: Comparison;
}

function makeResident({ rowIds, batches, dimensions, compare }: Parts): Resident {
  const rowOf = makeLookup(rowIds);
  const batchOf = (row: number): Batch => batches[lastAtMost(batches, row)] as Batch;
  return {
    rank: (question, ids, limit) => {
      const scored: { readonly row: number; readonly score: number }[] = [];
      for (const id of ids) {
        const row = rowOf(id);
        if (row === undefined) continue;
        const { start, vectors } = batchOf(row);
        scored.push({ row, score: compare(question, vectors, (row - start) * dimensions) });
      }
      const best = scored.sort((a, b) => b.score - a.score).slice(0, limit);
      return best.map(({ row, score }) => {
        const { start, columns } = batchOf(row);
        const at = row - start;
        return found(Object.fromEntries(columns.map(([name, values]) => [name, values?.get(at)])), score);
      });
    },
  };
}

/** Lance reads fragments in order, in which their rows are numbered; it does not promise that. */
function makeLookup(rowIds: BigUint64Array): (id: bigint) => number | undefined {
  const order = Uint32Array.from(rowIds.keys());
  const isSorted = rowIds.every((id, at) => at === 0 || id > (rowIds[at - 1] ?? 0n));
  if (!isSorted) order.sort((a, b) => ((rowIds[a] ?? 0n) < (rowIds[b] ?? 0n) ? -1 : 1));
  return (id) => {
    let low = 0;
    for (let high = order.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((rowIds[order[middle] ?? 0] ?? 0n) < id) low = middle + 1;
      else high = middle;
    }
    const row = order[low];
    return row !== undefined && rowIds[row] === id ? row : undefined;
  };
}

function lastAtMost(batches: readonly Batch[], row: number): number {
  let low = 0;
  for (let high = batches.length - 1; low < high;) {
    const middle = (low + high + 1) >>> 1;
    if ((batches[middle]?.start ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
