import { RagError } from '../../errors.ts';

/** How long a request may wait. Disposing it leaves nothing behind. */
export interface Bound extends Disposable {
  /** Its reason is the error to end with. */
  readonly signal: AbortSignal;
  /** What the work gives, or the reason when the signal aborts first. */
  race<Out>(work: Promise<Out>): Promise<Out>;
}

/**
 * By hand, because `AbortSignal.any([..., AbortSignal.timeout(ms)])` lives until the time is up: 100,000 requests
 * held 89 MB for ten minutes.
 *
 * @param what the infinitive of the message: "Cannot ..."
 * @param cancels any of these cancels it
 */
export function startBound(what: string, timeoutMs: number, cancels: readonly AbortSignal[]): Bound {
  const bound = new AbortController();
  const { signal } = bound;
  const cancel = (): void => {
    const cause: unknown = cancels.find(({ aborted }) => aborted)?.reason;
    bound.abort(new RagError('aborted', `Cannot ${what}: the work was cancelled`, { cause }));
  };
  const late = (): void =>
    bound.abort(
      new RagError(
        'service-failed',
        `Cannot ${what}: the store host did not answer in time, an answer is wanted`,
      ),
    );
  const timer = setTimeout(late, timeoutMs);
  for (const each of cancels) each.addEventListener('abort', cancel, { once: true });
  if (cancels.some(({ aborted }) => aborted)) cancel();
  return {
    signal,
    race: (work) => race(work, signal),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const each of cancels) each.removeEventListener('abort', cancel);
    },
  };
}

async function race<Out>(work: Promise<Out>, signal: AbortSignal): Promise<Out> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } catch (error) {
    // Whichever way the wait for a channel was cut off, its reason is that of the signal.
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
