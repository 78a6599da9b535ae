import { Index, type Table } from '@lancedb/lancedb';
import type { Schema } from 'apache-arrow';
import { syncTree } from '../durable.ts';
import { mergeRows, onlyNewer, pendingRows, type MergedShard } from './merge.ts';
import { promoteShard } from './promote.ts';
import { dropRemoved, dropReplaced, freeRemovals } from './removals.ts';
import { chunkSchema, failureSchema } from '../schema.ts';
import { isFree, nobody } from './shard-owner.ts';
import {
  claimShard,
  connection,
  emptyTrash,
  isInPlace,
  mainName,
  openMain,
  openShard,
  removeShards,
  sealShard,
  shardNames,
  type IndexFolder,
  type MainKind,
} from '../tables.ts';
import { keyOf } from '../write/standing.ts';
import { strayFolders } from './strays.ts';
import { ensureTextIndex, makeTextIndex, unindexedRows } from './textindex.ts';
import { forgetTuning } from '../vector-index/tuning.ts';
import { inTurn, type StillMine } from './turn.ts';
import type { EncoderRecord } from '../types.ts';
import { makeVectorIndex, vectorIndexDue } from '../vector-index/vector-index.ts';
import { readView, scan, scanLedger, type View } from '../view.ts';

/**
 * Merges what is complete in the shards into main. It may die anywhere and be done again: every step can be
 * repeated, and a shard goes only when all that was taken from it is synced. Until then the ledger, which
 * reads the shards too, hides the versions that main still has.
 */
export async function consolidate(folder: IndexFolder, encoder: EncoderRecord): Promise<void> {
  await inTurn(folder, (stillMine) => mergeAll(folder, encoder, stillMine));
}

async function mergeAll(folder: IndexFolder, encoder: EncoderRecord, stillMine: StillMine): Promise<void> {
  await emptyTrash(folder);
  const strays = await strayFolders(folder);
  if (strays.length > 0) await removeShards(folder, strays);
  // Before the view, which knows them all then, and perhaps more.
  const removals = await freeRemovals(folder);
  const all = await readView(folder);
  const view = await freeShards(folder, all);
  const held = await heldBy(all, view);
  // What was removed is in none of the rows that go into main: with removals they are judged one by one.
  const promoted = removals.length === 0 ? await promoteShard(folder, view, stillMine) : undefined;
  const rest = promoted === undefined ? view : without(view, promoted);
  const chunks = await mergeChunks({ folder, encoder, view: rest, held, stillMine });
  const failures = await mergeFailures(folder, stillMine);
  if (removals.length > 0) await dropRemoved(folder, view);
  await stillMine();
  const tidied = await tidyMain(folder, encoder);
  const merged = [...chunks, ...failures];
  if (merged.length === 0 && removals.length === 0 && promoted === undefined && !tidied) return;
  await syncTree(folder.root, new Set());
  await stillMine();
  const left = await removeMerged(folder, merged);
  // A shard that is left may hold what was removed: as long as it is there, the removal must be known.
  const isDone = left.length === 0 && view.shards.size === all.shards.size;
  if (isDone && (await shardNames(folder, 'failures')).length === 0) await removeMerged(folder, removals);
}

/**
 * All at once, because every removal is a moment in which questions must read anew. Rows are only ever added: a
 * shard that has grown since it was read is left for the next time.
 *
 * @returns the names of those that are left
 */
export async function removeMerged(
  folder: IndexFolder,
  merged: readonly MergedShard[],
): Promise<readonly string[]> {
  const sealed: MergedShard[] = [];
  for (const { name, rows } of merged) sealed.push({ name: await sealShard(folder, name), rows });
  const unchanged: string[] = [];
  const left: string[] = [];
  for (const { name, rows } of sealed) {
    const table = await openShard(folder, name);
    if (table !== undefined) ((await table.countRows()) === rows ? unchanged : left).push(name);
  }
  await removeShards(folder, unchanged);
  return left;
}

/** The view without the shards of writers that live: they are merged by their own runs. */
async function freeShards(folder: IndexFolder, view: View): Promise<View> {
  const free = await Promise.all([...view.shards.keys()].map((name) => isFree(folder, name)));
  const shards = [...view.shards].filter((_, at) => free[at]);
  return { ...view, shards: new Map(shards) };
}

const without = (view: View, shard: string): View => ({
  ...view,
  shards: new Map([...view.shards].filter(([name]) => name !== shard)),
});

/**
 * Versions of which only shards that are left alone have the first chunk. What others have written of them waits: in
 * main, and in a tag, it would be without it.
 */
async function heldBy(all: View, free: View): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const [name, shard] of all.shards) {
    if (free.shards.has(name)) continue;
    for await (const row of scanLedger(shard, 'ordinal = 0')) held.add(keyOf(row));
  }
  if (held.size === 0) return held;
  for (const shard of free.shards.values())
    for await (const row of scanLedger(shard, 'ordinal = 0')) held.delete(keyOf(row));
  return held;
}

interface Merge {
  readonly folder: IndexFolder;
  readonly encoder: EncoderRecord;
  /** With the shards that are merged. */
  readonly view: View;
  /** See `heldBy`. */
  readonly held: ReadonlySet<string>;
  readonly stillMine: StillMine;
}

/** @returns the shards that have nothing left of their own */
async function mergeChunks({ folder, encoder, view, held, stillMine }: Merge): Promise<MergedShard[]> {
  if (view.shards.size === 0) return [];
  await stillMine();
  const main = (await openMain(folder, 'chunks')) ?? (await makeMain(folder, 'chunks', chunkSchema(encoder)));
  await declareKey(main, 'chunk_id');
  const merged: MergedShard[] = [];
  try {
    for (const [name, shard] of view.shards) {
      const { pending, rows } = await mergeRows(main, shard, { ledger: view.ledger, held, stillMine });
      // A shard of nothing but pending rows stays as it is; else they move, so that the rest is not kept twice.
      if (pending.length > 0 && pending.length === rows) continue;
      if (pending.length > 0 && !(await carry(folder, encoder, shard, pending))) continue;
      merged.push({ name, rows });
    }
  } finally {
    // Whatever has stopped it: nothing that was brought may stand beside what is newer.
    await dropReplaced(main, view.ledger);
  }
  return merged;
}

/**
 * Rows of versions that are not complete: the run that finishes them need not embed them again.
 *
 * @returns false when somebody took them away before they were whole, believing that we were gone
 */
async function carry(
  folder: IndexFolder,
  encoder: EncoderRecord,
  from: Table,
  ids: bigint[],
): Promise<boolean> {
  const schema = chunkSchema(encoder);
  const shard = await claimShard(folder, { writer: 'carried', kind: 'chunks', schema, owner: nobody });
  for await (const rows of pendingRows(from, ids)) await shard.table.add(rows);
  await ensureTextIndex(shard.table);
  return isInPlace(shard);
}

async function makeMain(folder: IndexFolder, kind: MainKind, schema: Schema): Promise<Table> {
  return (await connection(folder, folder.root)).createEmptyTable(mainName(kind), schema, { existOk: true });
}

/** Without a declared key two merges at once insert the same row twice (lancedb#3377: 480 rows of 300). */
async function declareKey(table: Table, column: string): Promise<void> {
  const field = (await table.schema()).fields.find(({ name }) => name === column);
  const declared = [...(field?.metadata.keys() ?? [])].some((key) => key.includes('unenforced-primary-key'));
  if (!declared) await table.setUnenforcedPrimaryKey(column);
}

/** One row per document: that of its newest failure. There are few. */
async function mergeFailures(folder: IndexFolder, stillMine: StillMine): Promise<MergedShard[]> {
  const merged: MergedShard[] = [];
  for (const name of await shardNames(folder, 'failures')) {
    const shard = (await isFree(folder, name)) ? await openShard(folder, name) : undefined;
    if (shard === undefined) continue;
    const main = (await openMain(folder, 'failures')) ?? (await makeMain(folder, 'failures', failureSchema));
    await declareKey(main, 'document');
    merged.push({ name, rows: await shard.countRows() });
    const newest = new Map<string, bigint>();
    for await (const row of scan(shard, ['document', '_rowid']))
      newest.set(String(row['document']), row['_rowid'] as bigint);
    if (newest.size === 0) continue;
    const rows = await shard.takeRowIds([...newest.values()]).toArrow();
    await stillMine();
    await main
      .mergeInsert('document')
      .whenMatchedUpdateAll(onlyNewer)
      .whenNotMatchedInsertAll()
      .execute(rows);
  }
  return merged;
}

/** Longer than a question takes: another host may be reading an older version of main. */
const keepVersionsMs = 10 * 60_000;

/** Labels: a filter by one of 100k rows takes 5 ms and not 14; made in 0.03 s. */
const keyIndexes = {
  document: (): Index => Index.btree(),
  chunk_id: (): Index => Index.btree(),
  labels: (): Index => Index.labelList(),
};

/** @returns false when there was nothing to do, so that an unchanged index keeps its files */
async function tidyMain(folder: IndexFolder, encoder: EncoderRecord): Promise<boolean> {
  const main = await openMain(folder, 'chunks');
  const rows = (await main?.countRows()) ?? 0;
  if (main === undefined || rows === 0) return false;
  const indexed = new Set((await main.listIndices()).flatMap((index) => index.columns));
  const missing = Object.entries(keyIndexes).filter(([column]) => !indexed.has(column));
  const tail = await unindexedRows(main);
  const vectors = await vectorIndexDue(main, encoder, rows);
  if (missing.length === 0 && tail === 0 && vectors === 'nothing') return false;
  // Anew where most is new: the other way compacts as well, which writes the table a second time.
  const anew = tail === undefined || tail > rows / 2;
  if (anew) await makeTextIndex(main);
  for (const [column, make] of anew ? Object.entries(keyIndexes) : missing)
    await main.createIndex(column, { config: make() });
  if (!anew || vectors === 'fold in')
    await main.optimize({ cleanupOlderThan: new Date(Date.now() - keepVersionsMs) });
  if (vectors === 'make') {
    await forgetTuning(folder.root);
    await makeVectorIndex(main, encoder, rows);
  }
  return true;
}
