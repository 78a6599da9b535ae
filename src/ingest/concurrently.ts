/**
 * Runs `work` over a source with at most `limit` calls in flight and at most `limit` results waiting, so that
 * the stage behind never waits for this one while memory stays bounded. Results come in the order in which
 * they are finished.
 *
 * The first error ends it: no new call is started, calls in flight are waited for, then the error is thrown.
 */
export async function* concurrently<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const items = iterate(source);
  const finished: R[] = [];
  let running = 0;
  let exhausted = false;
  let failure: { error: unknown } | undefined;
  let wake: () => void = () => {};

  const pull = async (): Promise<void> => {
    try {
      const next = await items.next();
      if (next.done === true) exhausted = true;
      else finished.push(await work(next.value));
    } catch (error) {
      failure ??= { error };
    } finally {
      running -= 1;
      wake();
    }
  };

  try {
    for (;;) {
      while (
        !exhausted &&
        failure === undefined &&
        running + finished.length < 2 * limit &&
        running < limit
      ) {
        running += 1;
        void pull();
      }
      const result = finished.shift();
      if (result !== undefined) yield result;
      else if (running > 0) await new Promise<void>((resolve) => (wake = resolve));
      else if (failure !== undefined) throw failure.error;
      else if (exhausted) return;
    }
  } finally {
    exhausted = true;
    while (running > 0) await new Promise<void>((resolve) => (wake = resolve));
    await items.return?.();
  }
}

/** Async generators queue concurrent `next` calls themselves, so several pulls may share one source. */
async function* iterate<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* source;
}
