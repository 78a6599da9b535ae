/**
 * The waits that everything here is made of. All remove their listener and their timer: `closing` signals live for
 * hours, and each `AbortSignal.any` of one and an `AbortSignal.timeout` holds 1 KB until the timeout.
 */

/** For waits that nobody cancels: their bound ends them. */
export const never: AbortSignal = new AbortController().signal;

/** What `work` gives, or `aborted` as soon as the signal says so, whether or not `work` listens to it. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | 'aborted'> {
  const { promise, resolve } = Promise.withResolvers<'aborted'>();
  const onAbort = (): void => resolve('aborted');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** @param ref whether it keeps the process alive */
export async function pause(ms: number, signal: AbortSignal, ref = true): Promise<'elapsed' | 'aborted'> {
  const { promise, resolve } = Promise.withResolvers<'elapsed'>();
  const timer = setTimeout(() => resolve('elapsed'), ms);
  if (!ref) timer.unref();
  try {
    return await orAborted(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What `work` gives within that time. Nobody ends it: it may go on all the same. */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  signal: AbortSignal = never,
): Promise<T | 'elapsed' | 'aborted'> {
  const over = new AbortController();
  const late = pause(ms, over.signal).then(() => 'elapsed' as const);
  try {
    return await orAborted(Promise.race([work, late]), signal);
  } finally {
    over.abort();
  }
}
