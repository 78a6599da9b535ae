import { hash } from 'node:crypto';
import type { Table } from '@lancedb/lancedb';
import { headManifest } from './consolidate/heal.ts';
import { noteComplete, noteMain, removed, type Ledger, type LedgerRow } from './ledger.ts';
import { recordState } from './versions/replaced.ts';
import type { StoredRow } from './write/rows.ts';
import { mainName, openMain, openShard, shardNames, tablePath, type IndexFolder } from './tables.ts';

/** The tables of an index at one moment, and what their ledger says. */
export interface View {
  readonly main: Table | undefined;
  /** By name. */
  readonly shards: ReadonlyMap<string, Table>;
  readonly ledger: Ledger;
}

/** The shard that this process writes: its table sees our own commits at once. */
export interface OwnShard {
  readonly name: string;
  readonly table: Table;
}

/** The view that questions are answered from. */
export interface CurrentView {
  read(): Promise<View>;
  /** Rows of our own shard were committed: no need to scan it again. */
  note(rows: readonly LedgerRow[]): Promise<void>;
  forget(): void;
  /** Another one after every change, whoever made it; the same one of the same tables, whoever reads them. */
  version(): Promise<string>;
}

/** Looking for commits of other processes before every question would cost 10 times the question (164 against 17.6 ms). */
const maxAgeMs = 5_000;

/** @param check may refuse to read the tables anew */
export function keepView(
  folder: IndexFolder,
  own: () => OwnShard | undefined,
  check: () => Promise<void> = async () => undefined,
): CurrentView {
  let kept: KeptView | undefined;
  let commits = 0;
  const current = async (): Promise<KeptView> => {
    if (kept !== undefined && performance.now() - kept.checkedAt > (kept.isEmpty ? 0 : maxAgeMs)) {
      const was = kept;
      was.checkedAt = performance.now();
      if ((await signatureOf(folder, own())) !== (await was.signature) && kept === was) kept = undefined;
    }
    const now = (kept ??= startReading(folder, own(), check));
    await now.view.catch((error: unknown) => {
      if (kept === now) kept = undefined;
      throw error;
    });
    return now;
  };
  return {
    read: async () => (await current()).view,
    note: async (rows) => {
      // A view that cannot be read is dropped by who asked for it; the rows are committed all the same.
      const view = await kept?.view.catch(() => undefined);
      if (view !== undefined) for (const row of rows) noteComplete(view.ledger, row);
      if (rows.length > 0) commits += 1;
    },
    version: async () => {
      const { signature } = await current();
      const shard = own(); // the signature is without it
      return hash('sha256', `${await signature}\n${shard === undefined ? '' : `${shard.name}:${commits}`}`);
    },
    forget: () => (kept = undefined),
  };
}

/** Who has nothing yet waits for the first document, and looking for it costs one listing. */
interface KeptView {
  isEmpty: boolean;
  readonly signature: Promise<string>;
  readonly view: Promise<View>;
  checkedAt: number;
}

/** The signature is taken before the tables are opened: what changes in between is seen at the next check. */
function startReading(folder: IndexFolder, own: OwnShard | undefined, check: () => Promise<void>): KeptView {
  const signature = signatureOf(folder, own);
  const view = signature.then(check).then(() => readView(folder, own));
  const kept: KeptView = { isEmpty: false, signature, view, checkedAt: performance.now() };
  view.then(
    ({ main, shards }) => (kept.isEmpty = main === undefined && shards.size === 0),
    () => undefined,
  );
  return kept;
}

async function signatureOf(folder: IndexFolder, own: OwnShard | undefined): Promise<string> {
  const all = [...(await shardNames(folder, 'chunks')), ...(await shardNames(folder, 'removals'))];
  const names = all.filter((name) => name !== own?.name).sort();
  const places = [
    tablePath(folder.root, mainName('chunks')),
    ...names.map((name) => tablePath(folder.shards, name)),
  ];
  const heads = await Promise.all(places.map((place) => headManifest(place)));
  const tables = places.map((place, at) => `${place}@${heads[at] ?? ''}`);
  return [await recordState(folder.root), ...tables].join('\n');
}

export async function readView(folder: IndexFolder, own?: OwnShard): Promise<View> {
  // Removals first: when they are gone, so is every row that they were about.
  const removals = await readRemovals(folder);
  // Main after the shards: a shard that is merged and removed in between is then found in main.
  const shards = new Map<string, Table>();
  for (const name of await shardNames(folder, 'chunks')) {
    const table = name === own?.name ? own.table : await openShard(folder, name);
    if (table !== undefined) shards.set(name, table);
  }
  const main = await openMain(folder, 'chunks');
  return { main, shards, ledger: await readLedger(main, shards, removals) };
}

async function readRemovals(folder: IndexFolder): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (const name of await shardNames(folder, 'removals')) {
    const shard = await openShard(folder, name);
    if (shard === undefined) continue;
    for await (const row of scan(shard, ['document', 'version']))
      rows.push({ document: String(row['document']), ...removed(Number(row['version'])) });
  }
  return rows;
}

/** 500k rows take about 130 ms. Main is only read where there are shards: it may have their documents newer. */
async function readLedger(
  main: Table | undefined,
  shards: ReadonlyMap<string, Table>,
  removals: readonly LedgerRow[],
): Promise<Ledger> {
  const ledger: Ledger = new Map();
  for (const row of removals) noteComplete(ledger, row);
  for (const shard of shards.values()) {
    for await (const row of scanLedger(shard, 'ordinal = 0')) noteComplete(ledger, row);
  }
  if (main === undefined || ledger.size === 0) return ledger;
  for await (const row of scanLedger(main, 'ordinal = 0')) noteMain(ledger, row);
  return ledger;
}

/** The ledger's columns of a table's rows. */
export async function* scanLedger(table: Table, where?: string): AsyncGenerator<LedgerRow> {
  for await (const row of scan(table, ['document', 'hash', 'version', 'chunks'], where)) {
    yield { ...(row as unknown as LedgerRow), version: Number(row['version']) };
  }
}

/** Rows of a table, batch by batch; `_rowid` is a column too. */
export async function* scan(
  table: Table,
  columns: readonly string[],
  where?: string,
): AsyncGenerator<StoredRow> {
  let query = table.query().select(columns.filter((name) => name !== '_rowid'));
  if (columns.includes('_rowid')) query = query.withRowId();
  if (where !== undefined) query = query.where(where);
  for await (const batch of query) {
    // By column: the row objects of Arrow are proxies, several times slower to read.
    const vectors = columns.map((name) => [name, batch.getChild(name)] as const);
    for (let at = 0; at < batch.numRows; at++) {
      yield Object.fromEntries(vectors.map(([name, vector]) => [name, vector?.get(at) as unknown]));
    }
  }
}
