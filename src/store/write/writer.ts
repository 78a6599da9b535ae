import { existsSync } from 'node:fs';
import type { Schema } from 'apache-arrow';
import { writeAtomic } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';
import { syncTree } from '../durable.ts';
import type { LedgerRow } from '../ledger.ts';
import type { PackedRows } from '../wire/protocol.ts';
import { bringChunks, withoutFirst } from './complete.ts';
import { claimRecord } from './record.ts';
import { chunkTable, failureTable, removalTable } from './rows.ts';
import { chunkSchema, failureSchema, removalSchema } from '../schema.ts';
import { newOwner, nobody } from '../consolidate/shard-owner.ts';
import { retrying } from '../retrying.ts';
import { makeStanding, type Standing } from './standing.ts';
import {
  claimShard,
  isInPlace,
  ownerPath,
  removeShards,
  type ClaimedShard,
  type IndexFolder,
  type Kind,
} from '../tables.ts';
import type { EncoderRecord, FailureRow } from '../types.ts';
import { newestRemoval } from '../versions/versions.ts';
import type { OwnShard } from '../view.ts';

/**
 * The writing side of one run. Its shards are made at the first row, so that a run with nothing to write
 * leaves the index as it was, and are never written by another run.
 */
export interface Writer {
  readonly encoder: EncoderRecord;
  own(): OwnShard | undefined;
  /** One commit; resolves when it is synced. @returns the documents that are complete with it: others lack a chunk */
  append(packed: PackedRows): Promise<LedgerRow[]>;
  recordFailures(rows: readonly FailureRow[]): Promise<void>;
  /** @param after newest version in the index: the removal is newer, whoever wrote it */
  remove(documents: readonly string[], after: number): Promise<void>;
  /** The shards were merged: the next row begins new ones. */
  leaveShards(): void;
  /** What this run writes from now on is newer, whatever the clocks say: it knows of that version. */
  readonly saw: (version: number) => void;
  /** Whoever has the turn may merge them, while this run lives too. */
  release(): Promise<void>;
}

interface Shard extends ClaimedShard {
  readonly synced: Set<string>;
  readonly standing: Standing;
}

/** @param after newest version in the index: ours are newer, even where this node's clock is behind */
export function makeWriter(folder: IndexFolder, encoder: EncoderRecord, name: string, after: number): Writer {
  let version = after;
  const nextVersion = (): number => (version = Math.max(version + 1, Date.now()));
  let chunks: Shard | undefined;
  let failures: Shard | undefined;
  let removals: Shard | undefined;
  const claims = (kind: Kind, schema: Schema): Claims => ({
    claim: async () => {
      // Since the last one the index may have been replaced by one of another encoder.
      await claimRecord(folder.root, encoder);
      const shard = await claimShard(folder, { writer: name, kind, schema, owner: newOwner(folder) });
      // A removal is forgotten when it was carried out in every shard that there was: it must hide nothing of a later one.
      if (kind === 'chunks')
        version = Math.max(version, await retrying(folder.root, () => newestRemoval(folder)));
      return { ...shard, synced: new Set(), standing: makeStanding() };
    },
    discard: async (shard) => {
      if (!existsSync(ownerPath(shard.path))) await removeShards(folder, [shard.name]);
    },
  });
  const ofChunks = claims('chunks', chunkSchema(encoder));
  const ofFailures = claims('failures', failureSchema);
  const ofRemovals = claims('removals', removalSchema);
  const leaveShards = (): void => {
    chunks = undefined;
    failures = undefined;
    removals = undefined;
  };
  return {
    encoder,
    own: () => chunks,
    append: async (packed) => {
      let newest = 0;
      let whole = packed;
      chunks = await untilInPlace(chunks, ofChunks, async (shard) => {
        newest = nextVersion();
        whole = withoutFirst(packed, await bringChunks(folder, shard, shard.standing.shortOf(packed.rows)));
        if (whole.rows.length > 0) await shard.table.add(chunkTable(whole, encoder, newest));
      });
      chunks.standing.note(whole.rows);
      return completedBy(whole, newest);
    },
    recordFailures: async (rows) => {
      if (rows.length === 0) return;
      const table = failureTable(rows, nextVersion());
      failures = await untilInPlace(failures, ofFailures, (shard) => shard.table.add(table));
    },
    remove: async (documents, newest) => {
      version = Math.max(version, newest);
      const table = removalTable(documents, nextVersion());
      removals = await untilInPlace(removals, ofRemovals, (shard) => shard.table.add(table));
    },
    leaveShards,
    saw: (seen) => (version = Math.max(version, seen)),
    release: async () => {
      const own = [chunks, failures, removals].filter((shard) => shard !== undefined);
      leaveShards();
      for (const shard of own) await giveAway(shard);
    },
  };
}

/** One that is no longer in its place has been merged. */
async function giveAway(shard: Shard): Promise<void> {
  if (!(await isInPlace(shard))) return;
  await writeAtomic(ownerPath(shard.path), nobody).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

interface Claims {
  readonly claim: () => Promise<Shard>;
  /** Lance makes the folder of a table anew that was moved away under it, with a manifest of files that are not there. */
  readonly discard: (shard: Shard) => Promise<void>;
}

/** A shard is taken away from a live writer only by mistake; not three times in a row. */
const maxClaims = 3;

/**
 * Writes into the shard, and again into a new one when it was taken away meanwhile: what is acknowledged stands
 * in a shard that was in its place after the sync.
 */
async function untilInPlace(
  current: Shard | undefined,
  { claim, discard }: Claims,
  write: (shard: Shard) => Promise<unknown>,
): Promise<Shard> {
  let shard = current ?? (await claim());
  for (let claims = 1; claims <= maxClaims; claims++) {
    try {
      await write(shard);
      await syncTree(shard.path, shard.synced);
      if (await isInPlace(shard)) return shard;
    } catch (error) {
      if (await isInPlace(shard)) throw error;
    }
    await discard(shard);
    shard = await claim();
  }
  throw new RagError(
    'bug',
    `Cannot write a shard: it was taken away ${maxClaims} times, it belongs to its writer`,
  );
}

const completedBy = ({ rows }: PackedRows, version: number): LedgerRow[] =>
  rows
    .filter(({ ordinal }) => ordinal === 0)
    .map(({ document, hash, of }) => ({ document, hash, version, chunks: of }));
