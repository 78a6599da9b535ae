import type { Table } from '@lancedb/lancedb';
import type { Passage } from '../../work.ts';
import { isShown, type Ledger } from '../ledger.ts';
import { passageOf, type StoredRow } from '../write/rows.ts';
import type { KnownRow, Resident } from './resident.ts';
import { passageColumns, residentColumns } from '../schema.ts';
import { inList } from '../tables.ts';
import type { View } from '../view.ts';

/** Ids in one condition. */
const idsAtOnce = 512;

/**
 * The passages of these chunks, by id, so that it does not matter whether they were merged since they were found. One
 * that was removed or replaced is missing. Every column takes a question 0.2 ms: what is in memory is not read.
 */
export async function passages(
  { main, shards, ledger }: View,
  chunks: readonly string[],
  resident: Resident | undefined,
): Promise<Passage[]> {
  const wanted = new Set(chunks);
  const found: Passage[] = [];
  const note = (row: StoredRow, place: 'main' | 'shard'): void => {
    const chunk = String(row['chunk_id']);
    if (!wanted.has(chunk) || !shows(ledger, row, place)) return;
    wanted.delete(chunk);
    found.push(passageOf(row));
  };
  const take = async (table: Table, place: 'main' | 'shard'): Promise<void> => {
    const missing = [...wanted];
    for (let at = 0; at < missing.length; at += idsAtOnce)
      for (const row of await rowsOf(table, missing.slice(at, at + idsAtOnce))) note(row, place);
  };
  if (main !== undefined && resident !== undefined)
    for (const row of await completed(main, resident.rows([...wanted]))) note(row, 'main');
  if (main !== undefined && wanted.size > 0) await take(main, 'main');
  for (const shard of shards.values()) if (wanted.size > 0) await take(shard, 'shard');
  return found;
}

const onDisk = passageColumns.filter((name) => !(residentColumns as readonly string[]).includes(name));

/** With what is on the disk only. */
async function completed(main: Table, known: readonly KnownRow[]): Promise<StoredRow[]> {
  if (known.length === 0) return [];
  const ids = known.map(({ rowId }) => rowId);
  const rows: StoredRow[] = await main.takeRowIds(ids).select(onDisk).withRowId().toArray();
  const read = new Map(rows.map((row) => [row['_rowid'], row]));
  return known.flatMap(({ rowId, row }) => {
    const rest = read.get(rowId);
    return rest === undefined ? [] : [{ ...rest, ...row }];
  });
}

const rowsOf = async (table: Table, chunks: readonly string[]): Promise<StoredRow[]> => {
  const query = table.query().where(inList('chunk_id', chunks));
  return (await query.select([...passageColumns]).toArray()) as StoredRow[];
};

const shows = (ledger: Ledger, row: StoredRow, place: 'main' | 'shard'): boolean =>
  isShown(ledger, { document: String(row['document']), hash: String(row['hash']) }, place);
