/**
 * Collects rows into commits. A document's first chunk is its "done" mark, so it is held back until all its
 * other chunks stand in this commit or an earlier one.
 */
import type { ChunkRow, Store } from '../store/types.ts';
import type { BareRow } from './chunk-rows.ts';

/** A commit costs one set of small files and syncs whatever its size; 16 MiB of vectors are 4,000 rows of 1,024. */
const commitBytes = 16 * 1024 * 1024;

/** What a killed run loses at most. A commit every five seconds costs under 1 % of the time between them. */
const commitEveryMs = 5000;

export interface RowWriter {
  /** Announces a document: which of its rows will come. */
  expect(rows: readonly BareRow[]): void;
  /** Takes a row with its vector. Waits while two commits are open. */
  add(row: ChunkRow): Promise<void>;
  /**
   * Forgets the rows of a document that failed, as far as they are not committed; its first chunk never will be.
   * False when it was dropped before.
   */
  drop(document: string, hash: string): boolean;
  /** Commits what is there. Resolves when it is on disk. */
  flush(): Promise<void>;
}

interface Open {
  missing: number;
  first: ChunkRow | undefined;
}

/** A corpus may hold two rows with one id and different texts: each is counted for itself. */
const versionOf = ({ document, hash }: Pick<ChunkRow, 'document' | 'hash'>): string => `${document}\0${hash}`;

export function makeRowWriter(
  store: Pick<Store, 'append'>,
  onCommit: (documents: number) => void,
  now: () => number = () => performance.now(),
): RowWriter {
  const open = new Map<string, Open>();
  const dropped = new Set<string>();
  let buffer: ChunkRow[] = [];
  let bytes = 0;
  let lastCommitMs = now();
  let commit: Promise<void> = Promise.resolve();

  const append = async (rows: readonly ChunkRow[]): Promise<void> => {
    await store.append(rows);
    onCommit(rows.filter((row) => row.ordinal === 0).length);
  };

  const startCommit = async (): Promise<void> => {
    const rows = buffer;
    buffer = [];
    bytes = 0;
    lastCommitMs = now();
    await commit; // one at a time and in order: a first chunk must never overtake its document's others
    if (rows.length === 0) return;
    commit = append(rows);
    // Awaited by the next commit or flush; marked as handled so that its failure is reported there.
    commit.catch(() => {});
  };

  const push = async (row: ChunkRow): Promise<void> => {
    buffer.push(row);
    bytes += row.vector.byteLength + row.text.length * 2;
    if (bytes >= commitBytes || now() - lastCommitMs >= commitEveryMs) await startCommit();
  };

  return {
    expect: (rows) => {
      const [row] = rows;
      if (row !== undefined) open.set(versionOf(row), { missing: rows.length, first: undefined });
    },
    add: async (row) => {
      const state = open.get(versionOf(row));
      if (state === undefined) return;
      state.missing -= 1;
      if (row.ordinal === 0) state.first = row;
      else await push(row);
      if (state.missing > 0 || state.first === undefined) return;
      open.delete(versionOf(row));
      await push(state.first);
    },
    drop: (document, hash) => {
      const version = versionOf({ document, hash });
      if (dropped.has(version)) return false;
      dropped.add(version);
      open.delete(version);
      buffer = buffer.filter((row) => versionOf(row) !== version);
      return true;
    },
    flush: async () => {
      await startCommit();
      await commit;
    },
  };
}
