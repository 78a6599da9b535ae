/** So many at once; the others wait in line, and who comes when it is full is refused. */
import { RagError } from '../../errors.ts';
import { makeLine } from './line.ts';
import { type Problem, refusal } from '../problem.ts';

export interface Turns {
  /** Does the work when its turn comes. @throws a refusal when too many wait; aborted; what the work throws */
  take<T>(caller: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

interface Waiter {
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

/** @param waiting at least 1 @param full what is said to who comes when so many wait already */
export function makeFairTurns(atOnce: number, waiting: number, full: Problem): Turns {
  const line = makeLine<Waiter>(waiting);
  let underWay = 0;
  const admit = (): void => {
    while (underWay < atOnce) {
      const next = line.next();
      if (next === undefined) return;
      underWay += 1;
      next.go();
    }
  };
  const enter = (caller: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) throw cancelled(signal);
      const abort = (): void => {
        line.remove(caller, waiter);
        waiter.refuse(cancelled(signal));
      };
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
        refuse: (error) => {
          signal.removeEventListener('abort', abort);
          reject(error);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      line.add(caller, waiter)?.refuse(refusal(full));
      admit();
    });
  return {
    take: async (caller, signal, work) => {
      await enter(caller, signal);
      try {
        return await work();
      } finally {
        underWay -= 1;
        admit();
      }
    },
  };
}

const cancelled = (signal: AbortSignal): RagError =>
  new RagError('aborted', 'Cannot wait for a turn: the wait was cancelled', { cause: signal.reason });
