import { Index, type Table } from '@lancedb/lancedb';
import { messageOf } from '../../errors.ts';
import { isMissingFile } from '../wire/failure.ts';

/** What BM25 sees of a passage (see words/analyse). */
export const wordsColumn = 'words';
const name = `${wordsColumn}_idx`;

/**
 * The words are separated by spaces and are taken as they are, so that what is looked for is what was stored.
 * Lance leaves out words of more than 40 bytes unless it is told otherwise. Positions are only for phrases, which
 * nobody asks for.
 */
const options = {
  baseTokenizer: 'whitespace',
  lowercase: false,
  asciiFolding: false,
  stem: false,
  removeStopWords: false,
  maxTokenLength: 1024,
  withPosition: false,
} as const;

/**
 * Makes the index where there is none. The table must have rows: an index that began empty returns hits
 * unsorted, so that a limit cuts the best (measured, 0.37.1). Without an index a search returns any rows.
 */
export async function ensureTextIndex(table: Table): Promise<void> {
  if ((await hasTextIndex(table)) || (await table.countRows()) === 0) return;
  await makeTextIndex(table);
}

export const hasTextIndex = async (table: Table): Promise<boolean> =>
  (await unindexedRows(table)) !== undefined;

export async function dropTextIndex(table: Table): Promise<void> {
  if (await hasTextIndex(table)) await table.dropIndex(name);
}

/** Main has one but for the moments in which a shard has become main. */
export async function givenTextIndex(table: Table): Promise<boolean> {
  await ensureTextIndex(table).catch(unlessMoved);
  return hasTextIndex(table);
}

/** A question and the writer may both find that a shard wants its index: who comes second has nothing to do. */
async function unlessDoneByAnother(table: Table, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!/commit conflict/i.test(messageOf(error))) throw error;
    await table.checkoutLatest();
  }
}

/** Replaces the one that is there. */
export const makeTextIndex = (table: Table): Promise<void> =>
  unlessDoneByAnother(table, () => table.createIndex(wordsColumn, { config: Index.fts(options), name }));

/**
 * Makes the index or brings it up to date when it covers too little: what it does not cover is read row by row
 * (25-60 ms per 1,000) and ranked by the statistics of the rest (nDCG@10 .718 instead of .761).
 * A quarter, because every update compacts the whole table. On a disk that is full or may only be read the index
 * stays as it is: that is no reason not to answer.
 *
 * @returns whether the table has an index
 */
export async function refreshTextIndex(table: Table): Promise<boolean> {
  const tail = await unindexedRows(table);
  try {
    if (tail === undefined) await ensureTextIndex(table);
    else if (tail > minTailRows && tail > (await table.countRows()) / 4)
      await unlessDoneByAnother(table, () => table.optimize());
  } catch (error) {
    unlessMoved(error);
    return tail !== undefined;
  }
  return tail !== undefined || (await hasTextIndex(table));
}

/** A table that has become another while we looked is looked for again: left out, its rows would be in no answer. */
function unlessMoved(error: unknown): void {
  if (isMissingFile(error)) throw error;
}

const minTailRows = 100;

/** Undefined without an index. */
export const unindexedRows = async (table: Table): Promise<number | undefined> =>
  (await table.indexStats(name))?.numUnindexedRows;
