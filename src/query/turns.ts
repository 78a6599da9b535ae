/** Runs `work` as soon as fewer than the bound run, in the order of the calls. */
export type InTurn = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Who leaves while it waits gives its place to the next. @param atOnce how many may run */
export function makeTurns(atOnce: number): InTurn {
  let running = 0;
  const waiting = new Set<() => void>();
  const untilTurn = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (running < atOnce) {
      running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      waiting.delete(resolve);
      reject(signal.reason as Error);
    };
    waiting.add(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  };
  /** The turn goes from hand to hand: nobody can slip in between. */
  const pass = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else {
      waiting.delete(next);
      next();
    }
  };
  return async (work, signal) => {
    await untilTurn(signal);
    try {
      return await work();
    } finally {
      pass();
    }
  };
}
