/** What a run is to ingest, in pieces that are finished one by one. Who works alone has one piece. */
import type { Called } from '../documents/types.ts';
import type { ListedRoot } from '../store/select.ts';
import { countDocuments } from './count.ts';
import type { Inputs } from '../work.ts';
import { listInputs, type ListedItem } from './listing.ts';
import type { Slice } from './slices.ts';

/** A listed file, or one slice of a corpus that several runs share. */
export type PortionItem =
  | ListedItem
  | ({ readonly kind: 'rows'; readonly key: string; readonly path: string } & Called & Slice);

export interface Portion {
  readonly items: AsyncIterable<PortionItem>;
  /** All its documents are on disk or set aside. */
  done(): Promise<void>;
}

export interface Portions {
  /** @throws no-input, aborted */
  read(signal: AbortSignal): AsyncIterable<Portion>;
  /** Documents to expect, for the progress bar only; null when that is not known. */
  count(signal: AbortSignal): Promise<number | null>;
}

export const allOf = (inputs: Inputs, onListed: (root: ListedRoot) => void): Portions => ({
  async *read(signal) {
    yield { items: listInputs(inputs, signal, onListed), done: async () => undefined };
  },
  count: (signal) => countDocuments(inputs, signal),
});

/** The end of one and the beginning of the next: more at once would only need more memory. */
const atOnce = 2;

/**
 * Works through the portions, each beginning when all items of the one before have been taken, so that the
 * embedder waits neither for the last commit of a portion nor for the claim of the next.
 *
 * The first failure ends it: the signal of the others is aborted, they are waited for, then it is thrown.
 */
export async function inPortions(
  portions: Portions,
  outer: AbortSignal,
  work: (items: AsyncIterable<PortionItem>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const halt = new AbortController();
  const signal = AbortSignal.any([outer, halt.signal]);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // told by the race below
  const unlessFailed = <T>(step: Promise<T>): Promise<T> => Promise.race([step, failure.promise]);
  const running = new Set<Promise<void>>();
  const start = (portion: Portion): Promise<void> => {
    const taken = Promise.withResolvers<void>();
    const run = work(noting(portion.items, taken.resolve), signal)
      .then(() => portion.done())
      .catch(failure.reject)
      .finally(() => running.delete(run));
    running.add(run);
    return taken.promise;
  };

  const source = portions.read(signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      while (running.size >= atOnce) await unlessFailed(Promise.race(running));
      const next = await unlessFailed(source.next());
      if (next.done === true) break;
      await unlessFailed(start(next.value));
    }
    await unlessFailed(Promise.all(running));
  } finally {
    halt.abort();
    await Promise.all(running);
    await source.return?.();
  }
}

/** @param onEnd called when there is no further item, however it ended */
async function* noting<T>(items: AsyncIterable<T>, onEnd: () => void): AsyncGenerator<T> {
  try {
    yield* items;
  } finally {
    onEnd();
  }
}
