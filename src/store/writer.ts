import { RagError } from '../errors.ts';
import { syncTree } from './durable.ts';
import type { LedgerRow } from './ledger.ts';
import type { PackedRows } from './protocol.ts';
import { chunkTable, failureTable } from './rows.ts';
import { chunkSchema, failureSchema } from './schema.ts';
import { claimShard, type ClaimedShard, type IndexFolder } from './tables.ts';
import { ensureTextIndex } from './textindex.ts';
import type { EncoderRecord, FailureRow } from './types.ts';
import type { OwnShard } from './view.ts';

/**
 * The writing side of one run. Its shards are made at the first row, so that a run with nothing to write
 * leaves the index as it was, and are never written by another run.
 */
export interface Writer {
  readonly encoder: EncoderRecord;
  own(): OwnShard | undefined;
  /** One commit; resolves when it is synced. @returns the documents that are complete with it */
  append(packed: PackedRows): Promise<LedgerRow[]>;
  recordFailures(rows: readonly FailureRow[]): Promise<void>;
  /** The shards were merged: the next row begins new ones. */
  leaveShards(): void;
}

interface Shard extends ClaimedShard {
  readonly synced: Set<string>;
}

/** @param after newest version in the index: ours are newer, even where this node's clock is behind */
export function makeWriter(folder: IndexFolder, encoder: EncoderRecord, name: string, after: number): Writer {
  let version = after;
  const nextVersion = (): number => (version = Math.max(version + 1, Date.now()));
  let chunks: Shard | undefined;
  let failures: Shard | undefined;
  return {
    encoder,
    own: () => chunks,
    append: async (packed) => {
      const table = chunkTable(packed, encoder, nextVersion());
      const shard = (chunks ??= fresh(await claimShard(folder, name, 'chunks', chunkSchema(encoder))));
      await shard.table.add(table);
      await ensureTextIndex(shard.table);
      await syncTree(shard.path, shard.synced);
      return completedBy(packed, version);
    },
    recordFailures: async (rows) => {
      if (rows.length === 0) return;
      const shard = (failures ??= fresh(await claimShard(folder, name, 'failures', failureSchema)));
      await shard.table.add(failureTable(rows, nextVersion()));
      await syncTree(shard.path, shard.synced);
    },
    leaveShards: () => {
      chunks = undefined;
      failures = undefined;
    },
  };
}

const fresh = (shard: ClaimedShard): Shard => ({ ...shard, synced: new Set() });

const completedBy = ({ rows }: PackedRows, version: number): LedgerRow[] =>
  rows
    .filter(({ ordinal }) => ordinal === 0)
    .map(({ document, hash, of }) => ({ document, hash, version, chunks: of }));

/** Letters, digits, dot, dash and underscore are what a table's name may have. @throws usage */
export function assertWriterName(name: string): void {
  if (/^[\w\-][\w.\-]*$/v.test(name) && !name.endsWith('.failures')) return;
  throw new RagError(
    'usage',
    `Cannot write as "${name}": a writer's name has letters, digits, ".", "-" and "_"`,
  );
}
