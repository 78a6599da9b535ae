import { rename, rm } from 'node:fs/promises';
import type { Table } from '@lancedb/lancedb';
import { digestBits } from './digest.ts';
import { syncPath } from './durable.ts';
import { isShown, type Ledger } from './ledger.ts';
import { mainName, openMain, ownerPath, tablePath, type IndexFolder } from './tables.ts';
import { hasTextIndex } from './textindex.ts';
import { scan, type View } from './view.ts';

/**
 * The first ingest of an index writes a shard of which every row belongs into main. It becomes main by its name:
 * to read and write it once more costs a tenth of an ingest's CPU. One renaming, so that who looks finds it in one
 * place or in the other. Not one with a text index: Lance knows an index by its number and would look for it in the
 * old place as long as the process lives (measured, 0.37.1).
 *
 * @returns the shard that is main now
 */
export async function promoteShard(
  folder: IndexFolder,
  { main, shards, ledger }: View,
): Promise<string | undefined> {
  if (main !== undefined) return undefined;
  const largest = await largestOf(shards);
  if (largest === undefined || (await hasTextIndex(largest.table))) return undefined;
  if (!(await isInLargePieces(largest))) return undefined;
  if (!(await isWhole(largest, ledger))) return undefined;
  const { name, table } = largest;
  const place = tablePath(folder.root, mainName('chunks'));
  await rename(tablePath(folder.shards, name), place);
  await rm(ownerPath(place), { force: true });
  await undoLater(folder, await table.version());
  for (const changed of [folder.shards, folder.root]) await syncPath(changed);
  return name;
}

/**
 * Since it was read a question may have made it an index, and a writer that was believed to be gone may have added
 * rows: he sees that they do not count.
 */
async function undoLater(folder: IndexFolder, version: number): Promise<void> {
  const main = await openMain(folder, 'chunks');
  if (main === undefined || (await main.version()) === version) return;
  await main.checkout(version);
  await main.restore();
}

interface Sized {
  readonly name: string;
  readonly table: Table;
  readonly rows: number;
}

async function largestOf(shards: View['shards']): Promise<Sized | undefined> {
  const sized = await Promise.all(
    [...shards].map(async ([name, table]) => ({ name, table, rows: await table.countRows() })),
  );
  return sized.filter(({ rows }) => rows > 0).toSorted((a, b) => b.rows - a.rows)[0];
}

/** A slow embedder's commits are small. Every piece takes 0.06 ms of every question, 250 rows at least 1.5 ms. */
const fewPieces = 16;
const rowsPerPiece = 250;

async function isInLargePieces({ table, rows }: Sized): Promise<boolean> {
  const { numFragments } = (await table.stats()).fragmentStats;
  return numFragments <= fewPieces || rows / numFragments >= rowsPerPiece;
}

/**
 * All shown, none twice, and of each document all chunks: others may lie in the shard of a run that was overtaken. Two ids
 * that begin alike count as one: then the shard is merged, which is right as well.
 */
async function isWhole({ table, rows }: Sized, ledger: Ledger): Promise<boolean> {
  const ids = new Float64Array(rows);
  let [read, wanted] = [0, 0];
  for await (const row of scan(table, ['document', 'hash', 'chunk_id', 'ordinal', 'chunks'])) {
    const key = { document: String(row['document']), hash: String(row['hash']) };
    if (!isShown(ledger, key, 'shard')) return false;
    ids[read++] = digestBits(String(row['chunk_id']));
    if (Number(row['ordinal']) === 0) wanted += Number(row['chunks']);
  }
  if (read !== rows || wanted !== rows) return false;
  return ids.sort().every((id, at) => at === 0 || id !== ids[at - 1]);
}
