import { messageOf } from '../errors.ts';
import { orAborted, pause } from './pause.ts';
import type { ChildSpec, ExitStatus, Liveness, LivenessResult, Report, Running } from './spec.ts';

/** How a ready child stopped being one. `hung`: it lives and no longer answers. */
export type Over =
  | { readonly outcome: 'exited'; readonly exit: ExitStatus }
  | { readonly outcome: 'hung'; readonly reason: string }
  | { readonly outcome: 'aborted' };

/**
 * Waits until a child exits or one of those who look after it says that it must be started again.
 *
 * Missed probes are counted, not seconds: Slurm may suspend all of us for an hour, and then one probe is late,
 * but not three in a row.
 */
export async function whileAlive(
  { liveness, watches = [] }: Pick<ChildSpec, 'liveness' | 'watches'>,
  running: Running,
  exited: Promise<ExitStatus>,
  report: Report,
  signal: AbortSignal,
): Promise<Over> {
  const over = new AbortController();
  const ends = [exited.then((exit): Over => ({ outcome: 'exited', exit }))];
  if (liveness !== undefined) ends.push(untilHung(liveness, running, over.signal));
  for (const watch of watches)
    ends.push(watch(running, report, over.signal).then((reason): Over => ({ outcome: 'hung', reason })));
  try {
    const first = await orAborted(Promise.race(ends), signal);
    return first === 'aborted' ? { outcome: 'aborted' } : first;
  } finally {
    over.abort();
  }
}

async function untilHung(liveness: Liveness, running: Running, signal: AbortSignal): Promise<Over> {
  let answeredAt = performance.now();
  let misses = 0;
  let waitMs = liveness.periodMs;
  while ((await pause(waitMs, signal)) === 'elapsed') {
    const askedAt = performance.now();
    const result = await ask(liveness, running, signal);
    const now = performance.now();
    waitMs = Math.max(0, liveness.periodMs - (now - askedAt));
    misses = result.outcome === 'alive' ? 0 : misses + 1;
    if (result.outcome === 'alive') answeredAt = now;
    else if (misses >= liveness.failureThreshold) {
      const seconds = Math.round((now - answeredAt) / 100) / 10;
      return { outcome: 'hung', reason: `did not answer for ${seconds} s: ${result.reason}` };
    }
  }
  return { outcome: 'aborted' };
}

/** One probe and its bound. A probe that throws was missed too: the connection was refused, the answer was cut. */
async function ask(liveness: Liveness, running: Running, signal: AbortSignal): Promise<LivenessResult> {
  const { timeoutMs } = liveness;
  const over = new AbortController();
  const late = pause(timeoutMs, over.signal).then(() => missed(`no answer within ${timeoutMs / 1000} s`));
  try {
    const result = await orAborted(Promise.race([liveness.probe(running, over.signal), late]), signal);
    return result === 'aborted' ? missed('the probe was cancelled') : result;
  } catch (error) {
    return missed(messageOf(error));
  } finally {
    over.abort();
  }
}

const missed = (reason: string): LivenessResult => ({ outcome: 'missed', reason });
