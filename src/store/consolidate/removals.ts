import type { Table } from '@lancedb/lancedb';
import { isRemovedSince, noteComplete, type Ledger } from '../ledger.ts';
import type { MergedShard } from './merge.ts';
import { isFree } from './shard-owner.ts';
import { inList, openMain, openShard, shardNames, sqlString, type IndexFolder } from '../tables.ts';
import { scan, type View } from '../view.ts';

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
    const [document, version] = [String(row['document']), Number(row['version'])];
    if (isRemovedSince(ledger, document, version))
      gone.push(`(document = ${sqlString(document)} AND version <= ${version})`);
  }
  await deleteAll(failures, gone);
}

/** Documents in one delete: a predicate of some 20 KiB. */
const deleteBatch = 200;

/**
 * Chunks of versions that are not shown any more. If we were suspended, the ledger is old by now: what main itself says of
 * a document counts as much. And a delete that meets another's commit is done again on what is there then (measured,
 * 0.37.1), so it names exactly the rows that were judged.
 */
export async function dropReplaced(main: Table, ledger: Ledger): Promise<void> {
  if (ledger.size === 0) return;
  const found: Editions = new Map();
  const newer: Ledger = new Map();
  for await (const row of rowsOf(main, ledger)) {
    const listed = ledger.get(row.document);
    if (listed === undefined || listed.hash === row.hash) continue;
    note(found, row);
    if (row.ordinal === 0 && row.version > listed.version) noteComplete(newer, { ...row, chunks: 0 });
  }
  for (const some of inBatches([...newer.keys()]))
    for await (const row of scanMain(main, inList('document', some))) note(found, row);
  const replaced = [...found.values()].filter(
    ({ document, hash }) => hash !== (newer.get(document) ?? ledger.get(document))?.hash,
  );
  await deleteAll(
    main,
    replaced.map(
      ({ document, hash, version }) =>
        `(document = ${sqlString(document)} AND hash = ${sqlString(hash)} AND version <= ${version})`,
    ),
  );
}

/** Asked for by name up to so many; a note that is added to millions of passages costs no look at all of them. */
const fewDocuments = 1000;

/** At least all rows of the documents that the ledger lists. */
async function* rowsOf(main: Table, ledger: Ledger): AsyncGenerator<MainRow> {
  if (ledger.size > fewDocuments) yield* scanMain(main);
  else for (const some of inBatches([...ledger.keys()])) yield* scanMain(main, inList('document', some));
}

interface MainRow {
  readonly document: string;
  readonly hash: string;
  readonly version: number;
  readonly ordinal: number;
}

async function* scanMain(main: Table, where?: string): AsyncGenerator<MainRow> {
  for await (const row of scan(main, ['document', 'hash', 'version', 'ordinal'], where))
    yield { ...(row as unknown as MainRow), version: Number(row['version']) };
}

/** Of each edition the newest of its rows. */
type Editions = Map<string, Pick<MainRow, 'document' | 'hash' | 'version'>>;

function note(editions: Editions, { document, hash, version }: MainRow): void {
  const key = `${document}\0${hash}`;
  if ((editions.get(key)?.version ?? -1) < version) editions.set(key, { document, hash, version });
}

async function deleteAll(table: Table, predicates: readonly string[]): Promise<void> {
  for (const some of inBatches(predicates)) await table.delete(some.join(' OR '));
}

function* inBatches<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += deleteBatch) yield items.slice(at, at + deleteBatch);
}
