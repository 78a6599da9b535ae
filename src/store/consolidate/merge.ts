import type { Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';
import { newestOf } from '../write/known.ts';
import { isPending, isShown, type Ledger } from '../ledger.ts';
import { keyOf } from '../write/standing.ts';
import type { StillMine } from './turn.ts';
import { scan } from '../view.ts';

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
  /** Row ids of versions that may yet become complete, or that wait for their first chunk. */
  readonly pending: bigint[];
}

/** What decides about rows. */
interface Judgement {
  readonly ledger: Ledger;
  /** Versions whose rows wait, by `keyOf`. */
  readonly held: ReadonlySet<string>;
  readonly stillMine: StillMine;
}

/** Brings the rows of a shard that belong into main there. */
export async function mergeRows(
  main: Table,
  shard: Table,
  { ledger, held, stillMine }: Judgement,
): Promise<MergeState> {
  const merging = startMerging(main, shard, stillMine);
  const unfinished: KeyedRow[] = [];
  let rows = 0;
  const pending: bigint[] = [];
  for await (const row of scanKeys(shard)) {
    rows++;
    if (isShown(ledger, row, 'shard')) {
      if (held.size > 0 && held.has(keyOf(row))) pending.push(row.id);
      else await merging.add(row);
    } else if (isPending(ledger.get(row.document), row)) unfinished.push(row);
  }
  // Another run may have finished the document and brought it into main: whole, but for those of an earlier release.
  const newest = await newestOf({ main, ledger }, [...new Set(unfinished.map(({ document }) => document))]);
  for (const row of unfinished) {
    const complete = newest.get(row.document);
    if (complete?.hash === row.hash) await merging.add(row);
    else if (isPending(complete, row)) pending.push(row.id);
  }
  await merging.end();
  return { rows, pending };
}

interface KeyedRow {
  readonly document: string;
  readonly hash: string;
  readonly version: number;
  readonly chunk: string;
  readonly id: bigint;
}

async function* scanKeys(shard: Table): AsyncGenerator<KeyedRow> {
  for await (const row of scan(shard, ['document', 'hash', 'version', 'chunk_id', '_rowid']))
    yield {
      document: String(row['document']),
      hash: String(row['hash']),
      version: Number(row['version']),
      chunk: String(row['chunk_id']),
      id: row['_rowid'] as bigint,
    };
}

interface Merging {
  add(row: KeyedRow): Promise<void>;
  end(): Promise<void>;
}

function startMerging(main: Table, shard: Table, stillMine: StillMine): Merging {
  // By chunk: a merge that is given a key twice inserts it twice (measured, 0.37.1).
  let batch = new Map<string, bigint>();
  const end = async (): Promise<void> => {
    if (batch.size > 0) await mergeBatchInto(main, shard, batch, stillMine);
    batch = new Map();
  };
  return {
    add: async ({ chunk, id }) => {
      batch.set(chunk, id);
      if (batch.size >= mergeBatch) await end();
    },
    end,
  };
}

async function mergeBatchInto(
  main: Table,
  shard: Table,
  batch: ReadonlyMap<string, bigint>,
  stillMine: StillMine,
): Promise<void> {
  const rows = await shard.takeRowIds([...batch.values()]).toArrow();
  await stillMine();
  await main.mergeInsert('chunk_id').whenMatchedUpdateAll(onlyNewer).whenNotMatchedInsertAll().execute(rows);
}

export async function* pendingRows(shard: Table, ids: readonly bigint[]): AsyncGenerator<ArrowTable> {
  for (let at = 0; at < ids.length; at += mergeBatch) {
    yield await shard.takeRowIds(ids.slice(at, at + mergeBatch)).toArrow();
  }
}
