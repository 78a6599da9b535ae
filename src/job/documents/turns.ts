/** One after the other, in the order in which they ask: two ingests of one process would embed the same documents twice. */
import { RagError } from '../../errors.ts';
import { orAborted } from '../../supervise/pause.ts';

export interface Turns {
  /** @throws aborted while it waits; what the work throws */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Whether somebody has the turn. */
  isTaken(): boolean;
  /** At the end of the turn that somebody has, before the next one. What it throws is nobody's. */
  afterwards(work: () => Promise<void>): void;
}

export function makeTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  let taken = false;
  let after: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    while (after.length > 0) {
      const now = after;
      after = [];
      for (const work of now) await work().catch(() => undefined);
    }
    taken = false;
  };
  return {
    isTaken: () => taken,
    afterwards: (work) => void after.push(work),
    take: async (signal, work) => {
      const mine = Promise.withResolvers<void>();
      const before = last;
      last = before.then(() => mine.promise);
      try {
        if ((await orAborted(before, signal)) === 'aborted')
          throw new RagError(
            'aborted',
            'Cannot wait for its turn: the run was stopped, another ingest goes on',
          );
        taken = true;
        try {
          return await work();
        } finally {
          await end();
        }
      } finally {
        mine.resolve();
      }
    },
  };
}
