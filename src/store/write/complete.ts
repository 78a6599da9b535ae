/** Brings what a document lacks from other shards into the one that is about to get its first chunk. */
import type { Table } from '@lancedb/lancedb';
import { isMissingFile } from '../wire/failure.ts';
import { pendingRows } from '../consolidate/merge.ts';
import type { PackedRows } from '../wire/protocol.ts';
import { keyOf, type Short } from './standing.ts';
import { inList, openMain, openShard, shardNames, type ClaimedShard, type IndexFolder } from '../tables.ts';
import { scan } from '../view.ts';

/** A consolidation may be moving them: what it takes from one shard is in another before. */
const maxLooks = 3;

/**
 * Copies the chunks that the documents lack into the shard. They were there when the writer asked what is known; since
 * then the document may have been removed, or replaced by another run, and they with it.
 *
 * @returns the documents that still lack some
 */
export async function bringChunks(
  folder: IndexFolder,
  shard: ClaimedShard,
  short: readonly Short[],
): Promise<readonly Short[]> {
  let left = short;
  for (let look = 1; look <= maxLooks && left.length > 0; look++) {
    try {
      left = await bringFound(folder, shard, left);
    } catch (error) {
      if (!isMissingFile(error) || look === maxLooks) throw error;
    }
  }
  return left;
}

async function bringFound(
  folder: IndexFolder,
  shard: ClaimedShard,
  short: readonly Short[],
): Promise<readonly Short[]> {
  const missing = new Map(short.map((each) => [keyOf(each), new Set(each.missing)]));
  for await (const table of othersThan(folder, shard)) {
    const ids = await idsOf(table, missing);
    for await (const rows of pendingRows(table, ids)) await shard.table.add(rows);
  }
  return short
    .map((each) => ({ ...each, missing: missing.get(keyOf(each)) ?? new Set<number>() }))
    .filter(({ missing }) => missing.size > 0);
}

/** Main last: what is merged meanwhile is found there. */
async function* othersThan(folder: IndexFolder, { name }: ClaimedShard): AsyncGenerator<Table> {
  for (const other of await shardNames(folder, 'chunks')) {
    const table = other === name ? undefined : await openShard(folder, other);
    if (table !== undefined) yield table;
  }
  const main = await openMain(folder, 'chunks');
  if (main !== undefined) yield main;
}

/** Row ids of chunks that are missing, which are so no longer. */
async function idsOf(table: Table, missing: ReadonlyMap<string, Set<number>>): Promise<bigint[]> {
  const documents = [...missing]
    .filter(([, ordinals]) => ordinals.size > 0)
    .map(([key]) => key.split('\0', 1)[0] ?? '');
  if (documents.length === 0) return [];
  const ids: bigint[] = [];
  for await (const row of scan(
    table,
    ['document', 'hash', 'ordinal', '_rowid'],
    inList('document', documents),
  )) {
    const key = keyOf({ document: String(row['document']), hash: String(row['hash']) });
    if (missing.get(key)?.delete(Number(row['ordinal'])) === true) ids.push(row['_rowid'] as bigint);
  }
  return ids;
}

/** Without the first chunks of these documents. */
export function withoutFirst({ rows, vectors }: PackedRows, short: readonly Short[]): PackedRows {
  if (short.length === 0) return { rows, vectors };
  const keys = new Set(short.map(keyOf));
  const size = rows.length === 0 ? 0 : vectors.length / rows.length;
  const kept = [...rows.entries()].filter(([, row]) => row.ordinal > 0 || !keys.has(keyOf(row)));
  const keptVectors = new Float32Array(kept.length * size);
  for (const [to, [from]] of kept.entries())
    keptVectors.set(vectors.subarray(from * size, (from + 1) * size), to * size);
  return { rows: kept.map(([, row]) => row), vectors: keptVectors };
}
