import os from 'node:os';
import process from 'node:process';
import type { Table } from '@lancedb/lancedb';
import type { RecordBatch, Vector } from 'apache-arrow';
import { comparison, type Comparison, type StoredVector } from './compare.ts';
import { inTurns } from './in-turns.ts';
import type { StoredRow } from './rows.ts';
import { rankColumns, residentColumns } from './schema.ts';
import { found, type Found } from './search.ts';
import type { EncoderRecord } from './types.ts';
import { countWords, type WordCounts } from './word-counts.ts';

/**
 * What the host keeps of main in memory: what a ranking needs of each row, its vector, and its words. To find 400
 * candidates among 100k rows takes Lance 1.4 ms, to read their vectors 6 more, and every other column of 108 hits
 * one; here all of it takes 0.5. 100k rows of 1,024 half floats and 100 words are 300 MB, read in 0.4 s.
 */
export interface Resident {
  /**
   * Compares rows with a question by their whole vectors. Best first. Empty where vectors are not kept.
   * @param limit how many of the best are told
   */
  rank(question: Float32Array, rowIds: BigUint64Array, limit: number): Found[];
  /** Undefined of a row that is not known, and where words are not kept. */
  words(rowId: bigint): RowWords | undefined;
  /** What is in memory of these chunks, by the names of the columns. What is not known, or not yet, is missing. */
  rows(chunks: readonly string[]): KnownRow[];
  /** How many rows hold the word; undefined while that is counted, and where words are not kept. */
  holders(word: string): number | undefined;
}

/** What a lexical search needs of a row. */
export interface RowWords extends Omit<Found, 'score'> {
  readonly words: string;
  readonly length: number;
}

/** A row, but for what is on the disk only. */
export interface KnownRow {
  readonly rowId: bigint;
  readonly row: StoredRow;
}

/** What is kept. Words go first where there is too much. */
export interface Kept {
  readonly vectors: boolean;
  readonly words: boolean;
}

/** Beyond it rows stay on the disk. */
const maxBytes = (): number =>
  Math.min(2 ** 30, Math.min(process.constrainedMemory() || Infinity, os.totalmem()) / 8);

/**
 * @param signal ends the counting of words, which goes on after it was read
 * @returns undefined where main is too large
 */
export async function readResident(
  main: Table,
  encoder: Pick<EncoderRecord, 'dimensions' | 'metric'>,
  kept: Kept,
  signal: AbortSignal,
): Promise<Resident | undefined> {
  const batches = await readBatches(main, columnsOf(kept));
  if (batches !== undefined) return makeResident(batches, encoder, signal);
  return kept.words && kept.vectors
    ? readResident(main, encoder, { ...kept, words: false }, signal)
    : undefined;
}

const columnsOf = ({ vectors, words }: Kept): string[] => [
  ...residentColumns,
  ...(vectors ? ['vector'] : []),
  ...(words ? ['words', 'length'] : []),
];

/** As Arrow has read them: nothing is copied. */
interface Batch {
  /** Place of its first row among all. */
  readonly start: number;
  readonly rows: number;
  readonly ids: BigUint64Array;
  readonly column: ReadonlyMap<string, Vector>;
}

async function readBatches(main: Table, columns: readonly string[]): Promise<Batch[] | undefined> {
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
interface Place {
  readonly batch: Batch;
  readonly at: number;
}

function makeResident(
  batches: readonly Batch[],
  { dimensions, metric }: Pick<EncoderRecord, 'dimensions' | 'metric'>,
  signal: AbortSignal,
): Resident {
  const placeOf = makeLookup(batches);
  const compare = comparison(metric, dimensions);
  let byChunk: ReadonlyMap<string, Place> | undefined;
  void indexChunks(batches, signal).then((index) => (byChunk = index));
  let counts: WordCounts | undefined;
  const haveWords = batches.every(({ column }) => column.has('words'));
  if (haveWords) void countWords(allWords(batches), signal).then((counted) => (counts = counted));
  return {
    rows: (chunks) =>
      chunks.flatMap((chunk) => {
        const place = byChunk?.get(chunk);
        if (place === undefined) return [];
        const rowId = place.batch.ids[place.at] ?? 0n;
        return [{ rowId, row: rowAt(place, residentColumns) }];
      }),
    holders: (word) => counts && (counts.get(word) ?? 0),
    rank: (question, ids, limit) => {
      const scored = [...ids].flatMap((id) => {
        const place = placeOf(id);
        return place === undefined ? [] : [{ place, score: scoreOf(compare, question, place) }];
      });
      const best = scored.sort((a, b) => b.score - a.score).slice(0, limit);
      return best.map(({ place, score }) => found(rowAt(place, rankColumns), score));
    },
    words: (id) => {
      const place = placeOf(id);
      if (place === undefined || !place.batch.column.has('words')) return undefined;
      const row = rowAt(place, [...rankColumns, 'words', 'length']);
      return { ...found(row, 0), words: String(row['words']), length: Number(row['length']) };
    },
  };
}

function* allPlaces(batches: readonly Batch[]): Generator<Place> {
  for (const batch of batches) for (let at = 0; at < batch.rows; at++) yield { batch, at };
}

/** 100k rows take 0.1 s. */
async function indexChunks(
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

function* allWords(batches: readonly Batch[]): Generator<string> {
  for (const { column } of batches) for (const words of column.get('words') ?? []) yield String(words);
}

function scoreOf(compare: Comparison, question: Float32Array, { batch, at }: Place): number {
  const stored = batch.column.get('vector')?.data[0]?.children[0]?.values as StoredVector;
  return compare(question, stored, at * question.length);
}

const rowAt = ({ batch, at }: Place, columns: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((name) => [name, batch.column.get(name)?.get(at) as unknown]));

/** Lance reads fragments in order, in which their rows are numbered; it does not promise that. */
function makeLookup(batches: readonly Batch[]): (id: bigint) => Place | undefined {
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
