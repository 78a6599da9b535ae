import type { Table } from '@lancedb/lancedb';
import { comparison, type Comparison, type StoredVector } from './compare.ts';
import {
  allWords,
  indexChunks,
  makeLookup,
  readBatches,
  rowAt,
  type Batch,
  type Place,
} from './resident-rows.ts';
import type { StoredRow } from '../write/rows.ts';
import { rankColumns, residentColumns } from '../schema.ts';
import { found, type Found } from './search.ts';
import type { EncoderRecord } from '../types.ts';
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

function scoreOf(compare: Comparison, question: Float32Array, { batch, at }: Place): number {
  const stored = batch.column.get('vector')?.data[0]?.children[0]?.values as StoredVector;
  return compare(question, stored, at * question.length);
}
