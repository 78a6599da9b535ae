import { messageOf } from '../errors.ts';
import { orAborted, pause } from './pause.ts';
import type { ChildSpec, ProbeResult, Running } from './spec.ts';

export type Readiness =
  | { readonly outcome: 'ready' | 'exited' | 'aborted' }
  | { readonly outcome: 'timed-out'; readonly reason: string }
  | { readonly outcome: 'fatal'; readonly error: Error };

/** A server logs every probe, so progress read from its log never ends: the timeout grows this often at most. */
const maxExtensions = 10;

/**
 * Probes a child until it is ready, it exits, or nothing has moved for `timeoutMs`. One probe at a time; each
 * is bounded by that same timeout, because the first answer of a large model comes after its whole load.
 */
export async function untilReady(
  readiness: ChildSpec['readiness'],
  running: Running,
  exited: Promise<unknown>,
  signal: AbortSignal,
): Promise<Readiness> {
  const over = new AbortController();
  const last: Last = { reason: 'its probe never answered', promisedAt: -Infinity };
  try {
    const first = await orAborted(
      Promise.race([
        askUntilReady(readiness, running, last, over.signal),
        untilStalled(readiness, running, last, over.signal),
        exited.then((): Readiness => ({ outcome: 'exited' })),
      ]),
      signal,
    );
    return first === 'aborted' ? { outcome: 'aborted' } : first;
  } finally {
    over.abort();
  }
}

interface Last {
  reason: string;
  /** Until then nothing is expected. */
  promisedAt: number;
}

async function askUntilReady(
  readiness: ChildSpec['readiness'],
  running: Running,
  last: Last,
  signal: AbortSignal,
): Promise<Readiness> {
  for (;;) {
    const result = await ask(readiness, running, signal);
    if (result.outcome !== 'not-yet') return result;
    const { reason, askAgainMs = 0 } = result;
    last.reason = reason;
    if (askAgainMs > 0) last.promisedAt = performance.now() + askAgainMs;
    const waitMs = Math.max(readiness.periodMs, askAgainMs);
    if ((await pause(waitMs, signal)) === 'aborted') return { outcome: 'aborted' };
  }
}

/** A probe that throws has found out nothing yet: the connection was refused, the answer was cut. */
async function ask(
  readiness: ChildSpec['readiness'],
  running: Running,
  signal: AbortSignal,
): Promise<ProbeResult> {
  try {
    return await readiness.probe(running, signal);
  } catch (error) {
    return { outcome: 'not-yet', reason: messageOf(error) };
  }
}

async function untilStalled(
  readiness: ChildSpec['readiness'],
  running: Running,
  last: Readonly<Last>,
  signal: AbortSignal,
): Promise<Readiness> {
  const { timeoutMs, periodMs } = readiness;
  let suspendedMs = 0;
  const now = (): number => performance.now() - suspendedMs;
  const start = now();
  let movedAt = start;
  let seen = readiness.progress?.(running);
  for (;;) {
    const stalledAt = Math.min(movedAt + timeoutMs, start + timeoutMs * maxExtensions);
    const leftMs = Math.max(stalledAt - now(), last.promisedAt + timeoutMs - performance.now());
    if (leftMs <= 0) break;
    const waitMs = Math.min(readiness.progress === undefined ? lookMs : periodMs, leftMs);
    const since = performance.now();
    if ((await pause(waitMs, signal)) === 'aborted') return { outcome: 'aborted' };
    suspendedMs += suspensionOf(performance.now() - since, waitMs);
    const progress = readiness.progress?.(running);
    if (progress !== seen) movedAt = now();
    seen = progress;
  }
  const seconds = Math.round((now() - start) / 100) / 10;
  return { outcome: 'timed-out', reason: `was not ready after ${seconds} s: ${last.reason}` };
}

/** Between two looks at the clock. */
const lookMs = 1000;
/** A wait that ends later than a busy machine would end it. */
const lateMs = 5000;

/** How long this process was suspended in a wait, and its child with it: a job that Slurm has suspended for an hour has not waited. */
const suspensionOf = (tookMs: number, waitMs: number): number =>
  tookMs > waitMs + lateMs ? tookMs - waitMs : 0;
