/** Rows of a table in memory, as Arrow has read them, and where each of them is. */
import os from 'node:os';
import process from 'node:process';
import type { Table } from '@lancedb/lancedb';
import type { RecordBatch, Vector } from 'apache-arrow';
import { inTurns } from '../in-turns.ts';

/** An eighth of the memory that there is, and never more than 1.8 million rows of 1,024 half floats. Beyond it rows stay on the disk. */
const maxBytes = (): number =>
  Math.min(2 ** 32, Math.min(process.constrainedMemory() || Infinity, os.totalmem()) / 8);

/** As Arrow has read them: nothing is copied. */
export interface Batch {
  /** Place of its first row among all. */
  readonly start: number;
  readonly rows: number;
  readonly ids: BigUint64Array;
  readonly column: ReadonlyMap<string, Vector>;
}

/** @returns undefined where they are too many */
export async function readBatches(main: Table, columns: readonly string[]): Promise<Batch[] | undefined> {
  const rows = await main.countRows();
  const batches: Batch[] = [];
  let [start, bytes] = [0, 0];
  for await (const batch of main
    .query()
    .select([...columns])
    .withRowId()) {
    batches.push(toBatch(batch, start, columns));
    start += batch.numRows;
    bytes += batch.data.byteLength;
    // The first rows say how large all of them will be.
    if ((bytes / start) * Math.max(rows, start) > maxBytes()) return undefined;
  }
  return batches;
}

const toBatch = (batch: RecordBatch, start: number, columns: readonly string[]): Batch => ({
  start,
  rows: batch.numRows,
  ids: batch.getChild('_rowid')?.toArray() as BigUint64Array,
  column: new Map(
    columns.flatMap((name) => {
      const values = batch.getChild(name);
      return values === null ? [] : [[name, values] as const];
    }),
  ),
});

/** Where a row is. */
export interface Place {
  readonly batch: Batch;
  readonly at: number;
}

function* allPlaces(batches: readonly Batch[]): Generator<Place> {
  for (const batch of batches) for (let at = 0; at < batch.rows; at++) yield { batch, at };
}

/** 100k rows take 0.1 s. */
export async function indexChunks(
  batches: readonly Batch[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Place> | undefined> {
  const index = new Map<string, Place>();
  const note = (place: Place): void => {
    index.set(String(place.batch.column.get('chunk_id')?.get(place.at)), place);
  };
  const outcome = await inTurns(allPlaces(batches), note, { perTurn: 2_048, signal });
  return outcome === 'done' ? index : undefined;
}

export function* allWords(batches: readonly Batch[]): Generator<string> {
  for (const { column } of batches) for (const words of column.get('words') ?? []) yield String(words);
}

export const rowAt = ({ batch, at }: Place, columns: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((name) => [name, batch.column.get(name)?.get(at) as unknown]));

/** Lance reads fragments in order, in which their rows are numbered; it does not promise that. */
export function makeLookup(batches: readonly Batch[]): (id: bigint) => Place | undefined {
  const all = batches.reduce((sum, { rows }) => sum + rows, 0);
  const ids = new BigUint64Array(all);
  for (const batch of batches) ids.set(batch.ids, batch.start);
  const order = Uint32Array.from(ids.keys());
  const isSorted = ids.every((id, at) => at === 0 || id > (ids[at - 1] ?? 0n));
  if (!isSorted) order.sort((a, b) => ((ids[a] ?? 0n) < (ids[b] ?? 0n) ? -1 : 1));
  return (id) => {
    const row = order[firstWhere(order.length, (at) => (ids[order[at] ?? 0] ?? 0n) >= id)];
    if (row === undefined || ids[row] !== id) return undefined;
    const batch = batches[firstWhere(batches.length, (at) => (batches[at]?.start ?? 0) > row) - 1];
    return batch && { batch, at: row - batch.start };
  };
}

/** The first of `length` places for which it is true, as it is for all that follow. */
function firstWhere(length: number, isTrue: (at: number) => boolean): number {
  let low = 0;
  for (let high = length; low < high;) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
