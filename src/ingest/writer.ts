/**
 * Collects rows and failures into commits. A document's first chunk is its "done" mark, so it is held back until all its
 * other chunks stand in this commit or an earlier one.
 */
import type { ChunkRow, FailureRow, Store, Version } from '../store/types.ts';
import type { BareRow } from './chunk-rows.ts';

/** A commit costs one set of small files and syncs whatever its size; 8 MiB are 1,000 rows with 1,024 numbers each. */
const commitBytes = 8 * 1024 * 1024;

/** A commit for each of 100,000 broken rows would take hours; a thousand failures are some 300 KiB. */
const commitFailures = 1000;

/** What a killed run loses at most. A commit every five seconds costs under 1 % of the time between them. */
const commitEveryMs = 5000;

export interface RowWriter {
  /** Announces a document: which of its rows will come. */
  expect(rows: readonly BareRow[]): void;
  /** Takes a row with its vector. Waits while two commits are open. */
  add(row: ChunkRow): Promise<void>;
  /**
   * Forgets the rows of a document, as far as they are not committed; its first chunk never will be.
   * False when it was dropped before.
   */
  drop(row: Version): boolean;
  /** Takes a failure into the next commit. Waits while two commits are open. */
  setAside(failure: FailureRow): Promise<void>;
  /** Commits what is there. Resolves when it is on disk. */
  flush(): Promise<void>;
}

interface Open {
  missing: number;
  first: ChunkRow | undefined;
}

/** A corpus may hold two rows with one id and different texts: each is counted for itself. */
const versionOf = ({ document, hash }: Version): string => `${document}\0${hash}`;

/** What became of documents that were handed over whole. */
export interface Outcomes {
  committed(documents: readonly Version[]): void;
  /** Another run took away what this one built on; the failure is in the index. */
  lost(failure: FailureRow): void;
}

export function makeRowWriter(
  store: Pick<Store, 'append' | 'recordFailures'>,
  outcomes: Outcomes,
  now: () => number = () => performance.now(),
): RowWriter {
  const open = new Map<string, Open>();
  const commits = makeCommits(store, outcomes, now);
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
      else await commits.push(row);
      if (state.missing > 0 || state.first === undefined) return;
      open.delete(versionOf(row));
      await commits.push(state.first);
    },
    drop: (row) => {
      const version = versionOf(row);
      if (!open.delete(version)) return false;
      commits.forget(version);
      return true;
    },
    setAside: (failure) => commits.setAside(failure),
    flush: () => commits.flush(),
  };
}

interface Commits extends Pick<RowWriter, 'setAside' | 'flush'> {
  push(row: ChunkRow): Promise<void>;
  /** Forgets the rows of a version that are in no commit yet. */
  forget(version: string): void;
}

const taken =
  'another run replaced or removed it while this one read it, and with it what was committed of it: ingest it again';

function makeCommits(
  store: Pick<Store, 'append' | 'recordFailures'>,
  outcomes: Outcomes,
  now: () => number,
): Commits {
  let rows: ChunkRow[] = [];
  let bytes = 0;
  let failures: FailureRow[] = [];
  let lastCommitMs = now();
  let commit: Promise<void> = Promise.resolve();

  const append = async (some: readonly ChunkRow[]): Promise<readonly FailureRow[]> => {
    const unfinished = new Set((await store.append(some)).map(versionOf));
    const firsts = some.filter((row) => row.ordinal === 0);
    outcomes.committed(firsts.filter((row) => !unfinished.has(versionOf(row))));
    return firsts
      .filter((row) => unfinished.has(versionOf(row)))
      .map(({ document, hash, file }) => ({ document, hash, file, state: 'failed', reason: taken }));
  };

  const write = async (some: readonly ChunkRow[], failed: readonly FailureRow[]): Promise<void> => {
    const lost = some.length > 0 ? await append(some) : [];
    if (failed.length + lost.length > 0) await store.recordFailures([...failed, ...lost]);
    for (const failure of lost) outcomes.lost(failure);
  };

  /** Resolves when the commit before it is on disk. */
  const startCommit = (): Promise<void> => {
    const before = commit;
    const [some, failed] = [rows, failures];
    rows = [];
    bytes = 0;
    failures = [];
    lastCommitMs = now();
    // One at a time and in order: a first chunk must never overtake its document's others.
    commit = before.then(() => write(some, failed));
    // Awaited by the next commit or flush; marked as handled so that its failure is reported there.
    commit.catch(() => {});
    return before;
  };

  const commitWhenDue = async (): Promise<void> => {
    const isFull = bytes >= commitBytes || failures.length >= commitFailures;
    if (isFull || now() - lastCommitMs >= commitEveryMs) await startCommit();
  };

  return {
    push: (row) => {
      rows.push(row);
      bytes += row.vector.byteLength + row.text.length * 2;
      return commitWhenDue();
    },
    setAside: (failure) => {
      failures.push(failure);
      return commitWhenDue();
    },
    forget: (version) => {
      rows = rows.filter((row) => versionOf(row) !== version);
    },
    flush: async () => {
      await startCommit();
      await commit;
    },
  };
}
