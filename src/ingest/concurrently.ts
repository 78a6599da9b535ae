/** Results differ in size by a factor of a million: of large ones fewer wait. */
export interface Budget<R> {
  readonly most: number;
  sizeOf(result: R): number;
}

/**
 * Runs `work` over a source with at most `limit` calls in flight and at most `limit` results waiting, so that
 * the stage behind never waits for this one while memory stays bounded. Results come in the order in which
 * they are finished. While results above the budget wait, no new call is started.
 *
 * The first error ends it: no new call is started, calls in flight are waited for, then the error is thrown.
 */
export async function* concurrently<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
  budget?: Budget<R>,
): AsyncGenerator<R, void, undefined> {
  const items = iterate(source);
  const finished: { readonly result: R; readonly size: number }[] = [];
  let waiting = 0;
  const running = new Set<Promise<void>>();
  const state: { exhausted: boolean; failure: { error: unknown } | undefined } = {
    exhausted: false,
    failure: undefined,
  };

  const keep = (result: R): void => {
    const size = budget?.sizeOf(result) ?? 0;
    finished.push({ result, size });
    waiting += size;
  };
  const pull = async (): Promise<void> => {
    try {
      const next = await items.next();
      if (next.done === true) state.exhausted = true;
      else keep(await work(next.value));
    } catch (error) {
      state.failure ??= { error };
    }
  };
  const start = (): void => {
    const call: Promise<void> = pull().finally(() => running.delete(call));
    running.add(call);
  };
  const hasRoom = (): boolean =>
    running.size < limit &&
    running.size + finished.length < 2 * limit &&
    (waiting === 0 || waiting < (budget?.most ?? Infinity));

  try {
    for (;;) {
      while (!state.exhausted && state.failure === undefined && hasRoom()) start();
      const first = finished.shift();
      if (first !== undefined) {
        waiting -= first.size;
        yield first.result;
      } else if (running.size > 0) await Promise.race(running);
      else if (state.failure !== undefined) throw state.failure.error;
      else if (state.exhausted) return;
    }
  } finally {
    await Promise.all(running);
    await items.return();
  }
}

/** Async generators queue concurrent `next` calls themselves, so several pulls may share one source. */
async function* iterate<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* source;
}
