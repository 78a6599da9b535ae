import type { Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';
import { isPending, isShown, type Ledger } from './ledger.ts';
import type { StoredRow } from './rows.ts';
import { scan } from './view.ts';

/** A shard of which nothing is left that is not in main or carried on. */
export interface MergedShard {
  readonly name: string;
  /** How many were read. */
  readonly rows: number;
}

/** A row that is in both is replaced only by a newer one, so that a repeated merge writes nothing. */
export const onlyNewer = { where: 'target.version < source.version' };

/** 4,096 rows of 1,024 half floats and their text are some 20 MiB; each batch is a commit. */
const mergeBatch = 4_096;

export interface MergeState {
  readonly rows: number;
  /** Row ids of versions that may yet become complete. */
  readonly pending: bigint[];
}

/** Brings the shown rows of a shard into main. */
export async function mergeRows(main: Table, shard: Table, ledger: Ledger): Promise<MergeState> {
  const pending: bigint[] = [];
  let rows = 0;
  // By chunk: a merge that is given a key twice inserts it twice (measured, 0.37.1).
  let batch = new Map<string, bigint>();
  const columns = ['document', 'hash', 'version', 'chunk_id', '_rowid'];
  for await (const row of scan(shard, columns)) {
    rows++;
    const verdict = judge(ledger, row);
    if (verdict === 'pending') pending.push(row['_rowid'] as bigint);
    if (verdict === 'shown') batch.set(String(row['chunk_id']), row['_rowid'] as bigint);
    if (batch.size < mergeBatch) continue;
    await mergeBatchInto(main, shard, batch);
    batch = new Map();
  }
  if (batch.size > 0) await mergeBatchInto(main, shard, batch);
  return { rows, pending };
}

function judge(ledger: Ledger, row: StoredRow): 'shown' | 'pending' | 'replaced' {
  const key = {
    document: String(row['document']),
    hash: String(row['hash']),
    version: Number(row['version']),
  };
  if (isShown(ledger, key, 'shard')) return 'shown';
  return isPending(ledger.get(key.document), key) ? 'pending' : 'replaced';
}

async function mergeBatchInto(main: Table, shard: Table, batch: ReadonlyMap<string, bigint>): Promise<void> {
  const rows = await shard.takeRowIds([...batch.values()]).toArrow();
  await main.mergeInsert('chunk_id').whenMatchedUpdateAll(onlyNewer).whenNotMatchedInsertAll().execute(rows);
}

export async function* pendingRows(shard: Table, ids: readonly bigint[]): AsyncGenerator<ArrowTable> {
  for (let at = 0; at < ids.length; at += mergeBatch) {
    yield await shard.takeRowIds(ids.slice(at, at + mergeBatch)).toArrow();
  }
}
