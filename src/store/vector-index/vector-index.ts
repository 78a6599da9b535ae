import { Index, type Table } from '@lancedb/lancedb';
import type { EncoderRecord } from '../types.ts';

const name = 'vector_idx';

/** Below it every row is compared: 1,000 rows of 1,024 half floats take 3 ms, a search in the index 1-2. */
const fewestRows = 2_000;

/**
 * Few and large partitions, all of which are probed. The codes are so short (1 bit a dimension) that 100k rows are
 * read in 1.4 ms; what a search takes is reading the candidates. And what the index takes is finding partitions:
 * 100k x 1024 half floats in 24 are built in 6 s, in 316 (the square root) in 96 s, and then the neighbours of a
 * question lie in 160 of them.
 */
const rowsPerPartition = 4_096;

export const partitionsFor = (rows: number): number => Math.max(1, Math.round(rows / rowsPerPartition));

/** More than there can be: the index may have been made when there were more rows. */
export const everyPartition = (rows: number): number => 4 * partitionsFor(rows);

/** The compressed copy holds bits, eight to a byte. */
const isIndexable = ({ dimensions }: EncoderRecord, rows: number): boolean =>
  dimensions > 0 && dimensions % 8 === 0 && rows >= fewestRows;

/** Rows that the index covers, and those behind it; undefined without an index. */
export async function vectorIndexState(
  table: Table,
): Promise<{ readonly indexed: number; readonly tail: number } | undefined> {
  const stats = await table.indexStats(name);
  return stats && { indexed: stats.numIndexedRows, tail: stats.numUnindexedRows };
}

/** What a consolidation has to do: an index that was made of less than half of the rows has the wrong partitions. */
export async function vectorIndexDue(
  table: Table,
  encoder: EncoderRecord,
  rows: number,
): Promise<'nothing' | 'fold in' | 'make'> {
  if (!isIndexable(encoder, rows)) return 'nothing';
  const state = await vectorIndexState(table);
  if (state === undefined || state.tail > rows / 2) return 'make';
  return state.tail > 0 ? 'fold in' : 'nothing';
}

/** By distance where distances are compared, else by dot product: Lance searches row by row where that differs. */
export const makeVectorIndex = (table: Table, { metric }: EncoderRecord, rows: number): Promise<void> =>
  table.createIndex('vector', {
    config: Index.ivfRq({
      numPartitions: partitionsFor(rows),
      numBits: 1,
      distanceType: metric === 'l2' ? 'l2' : 'dot',
      maxIterations: 10,
      sampleRate: 64,
    }),
    name,
  });
