/** The two waits that everything here is made of. Both remove their listener: `closing` signals live for hours. */

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

export async function pause(ms: number, signal: AbortSignal): Promise<'elapsed' | 'aborted'> {
  const { promise, resolve } = Promise.withResolvers<'elapsed'>();
  const timer = setTimeout(() => resolve('elapsed'), ms);
  try {
    return await orAborted(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
