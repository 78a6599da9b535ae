/** Takes documents out of the index, also while an ingest goes on that may just be reading them. */
import type { Store } from '../../store/types.ts';
import type { Leaving } from './leaving.ts';
import type { Turns } from './turns.ts';
import type { Writing } from '../index/writing.ts';

/** Of one encoder. */
export interface WrittenIndex {
  readonly store: Store;
  readonly writing: Writing;
}

/** On disk and synced when it resolves. What is not there may be removed all the same. */
export type Removal = (documents: readonly string[], signal: AbortSignal) => Promise<void>;

/** @param leaving guards the indexes that the ingests of this process write */
export function makeRemoval(
  indexes: readonly WrittenIndex[],
  turns: Turns,
  leaving: Pick<Leaving, 'leave' | 'forget'>,
): Removal {
  const remove = async (documents: readonly string[]): Promise<void> => {
    for (const { store, writing } of indexes) if (await writing.toRemove()) await store.remove(documents);
  };
  return async (documents, signal) => {
    if (documents.length === 0) return;
    if (turns.isTaken()) {
      // The one who has the turn merges when it ends.
      turns.afterwards(async () => leaving.forget());
      await leaving.leave(documents);
      await remove(documents);
      return;
    }
    await turns.take(signal, async () => {
      await remove(documents);
      for (const { store } of indexes) await store.consolidate(signal);
    });
  };
}
