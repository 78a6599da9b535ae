import { rename, rm } from 'node:fs/promises';
import type { Table } from '@lancedb/lancedb';
import { digestBits } from '../digest.ts';
import { syncPath } from '../durable.ts';
import { isShown, type Ledger } from '../ledger.ts';
import { holdOf } from './shard-owner.ts';
import { mainName, openMain, openShard, ownerPath, tablePath, type IndexFolder } from '../tables.ts';
import { dropTextIndex, hasTextIndex } from './textindex.ts';
import type { StillMine } from './turn.ts';
import { scan, type View } from '../view.ts';

/**
 * The first ingest of an index writes a shard of which every row belongs into main. It becomes main by its name:
 * to read and write it once more costs a tenth of an ingest's CPU. One renaming, so that who looks finds it in one
 * place or in the other. Not one to which rows may still come, for nothing could tell them apart afterwards. Not one with
 * a text index: Lance knows an index by its number and would look for it in the old place as long as the process lives
 * (measured, 0.37.1).
 *
 * @returns the shard that is main now
 */
export async function promoteShard(
  folder: IndexFolder,
  { main, shards, ledger }: View,
  stillMine: StillMine,
): Promise<string | undefined> {
  if (main !== undefined) return undefined;
  const largest = await largestOf(shards);
  if (largest === undefined || (await hasTextIndex(largest.table))) return undefined;
  if (!(await isInLargePieces(largest))) return undefined;
  if (!(await isWhole(largest, ledger))) return undefined;
  const { name } = largest;
  if (!(await isAtRest(folder, largest))) return undefined;
  await stillMine();
  const place = tablePath(folder.root, mainName('chunks'));
  await rename(tablePath(folder.shards, name), place);
  await rm(ownerPath(place), { force: true });
  // Since we looked a question may have made it one.
  const now = await openMain(folder, 'chunks');
  if (now !== undefined) await dropTextIndex(now);
  for (const changed of [folder.shards, folder.root]) await syncPath(changed);
  return name;
}

/** Its writer has ended, and what was read is all that he has left. */
async function isAtRest(folder: IndexFolder, { name, table }: Sized): Promise<boolean> {
  if ((await holdOf(folder, name)) !== 'free') return false;
  const now = await openShard(folder, name);
  return (await now?.version()) === (await table.version());
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
