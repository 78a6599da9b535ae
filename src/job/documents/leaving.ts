/**
 * Documents that leave the index while an ingest goes on, which may have read one of them before and commit it in a moment.
 * Nothing of them is committed any more, so that a removal which was acknowledged holds whatever becomes of the process.
 */
import { fileOf } from '../../ingest/origins.ts';
import type { Store } from '../../store/types.ts';

export interface Leaving {
  /** The store as an ingest writes it: without what has left. */
  guard<Whole extends Store>(store: Whole): Whole;
  /** From now on they have left, and rows of theirs as a corpus. Resolves when what was being committed is. */
  leave(documents: readonly string[]): Promise<void>;
  /** At the end of the turn: who sends one of them again means it. */
  forget(): void;
}

export function makeLeaving(): Leaving {
  const left = new Set<string>();
  const commits = new Set<Promise<unknown>>();
  const stays = ({ document }: { readonly document: string }): boolean =>
    left.size === 0 || !(left.has(document) || left.has(fileOf(document)));
  const committing = async <Out>(commit: Promise<Out>): Promise<Out> => {
    commits.add(commit);
    try {
      return await commit;
    } finally {
      commits.delete(commit);
    }
  };
  return {
    guard: (store) => ({
      ...store,
      append: (rows) => committing(store.append(rows.filter(stays))),
      recordFailures: (rows) => committing(store.recordFailures(rows.filter(stays))),
    }),
    leave: async (documents) => {
      for (const document of documents) left.add(document);
      await Promise.allSettled(commits);
    },
    forget: () => left.clear(),
  };
}
