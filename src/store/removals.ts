import type { Table } from '@lancedb/lancedb';
import { isRemovedSince, type Ledger } from './ledger.ts';
import type { MergedShard } from './merge.ts';
import { isFree } from './shard-owner.ts';
import { openMain, openShard, shardNames, sqlString, type IndexFolder } from './tables.ts';
import { scan, scanLedger, type View } from './view.ts';

/** Shards of removals that may go when they have been carried out. */
export async function freeRemovals(folder: IndexFolder): Promise<MergedShard[]> {
  const removals: MergedShard[] = [];
  for (const name of await shardNames(folder, 'removals')) {
    const shard = (await isFree(folder, name)) ? await openShard(folder, name) : undefined;
    if (shard !== undefined) removals.push({ name, rows: await shard.countRows() });
  }
  return removals;
}

/** What main still has of documents that were removed: chunks and failures. */
export async function dropRemoved(folder: IndexFolder, { main, ledger }: View): Promise<void> {
  if (main !== undefined) await dropReplaced(main, ledger);
  const failures = await openMain(folder, 'failures');
  if (failures === undefined) return;
  const gone: string[] = [];
  for await (const row of scan(failures, ['document', 'version'])) {
    const document = String(row['document']);
    if (isRemovedSince(ledger, document, Number(row['version'])))
      gone.push(`document = ${sqlString(document)}`);
  }
  await deleteAll(failures, gone);
}

/** Documents in one delete: a predicate of some 20 KiB. */
const deleteBatch = 200;

/** Chunks of versions that are not shown any more. */
export async function dropReplaced(main: Table, ledger: Ledger): Promise<void> {
  const replaced = new Map<string, string>();
  if (ledger.size === 0) return;
  for await (const { document, hash } of scanLedger(main)) {
    const newest = ledger.get(document);
    if (newest !== undefined && newest.hash !== hash) replaced.set(document, newest.hash);
  }
  const predicates = [...replaced].map(
    ([document, hash]) => `(document = ${sqlString(document)} AND hash <> ${sqlString(hash)})`,
  );
  await deleteAll(main, predicates);
}

async function deleteAll(table: Table, predicates: readonly string[]): Promise<void> {
  for (let at = 0; at < predicates.length; at += deleteBatch) {
    await table.delete(predicates.slice(at, at + deleteBatch).join(' OR '));
  }
}
