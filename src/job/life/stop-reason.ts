/** What a run can know of why it is told to end: the reason of an abort is of no type. Pure. */
import { never } from '../../supervise/pause.ts';

export interface WhyStop {
  /** SIGUSR2: the wall time nears, work is saved and the job goes back into the queue. */
  readonly warned: boolean;
  /** Aborts when TERM follows the warning. */
  readonly over: AbortSignal;
}

export function whyStop(reason: unknown): WhyStop {
  const { signal, over } = (typeof reason === 'object' && reason !== null ? reason : {}) as {
    signal?: unknown;
    over?: unknown;
  };
  return { warned: signal === 'SIGUSR2', over: over instanceof AbortSignal ? over : never };
}

/** The controller's clock is not this node's. */
const clocksDifferSeconds = 5;

/**
 * Why it ended, for whoever reads of it later.
 * @param leftSeconds of the job's time when the last signal came; null: it has no limit, or nobody knows
 */
export function stopText(reason: unknown, leftSeconds: number | null): string {
  const { warned, over } = whyStop(reason);
  if (warned && !over.aborted) return 'its wall time neared';
  if (leftSeconds !== null && leftSeconds <= clocksDifferSeconds)
    return 'its wall time was over, which Slurm calls TIMEOUT';
  return warned ? 'SIGTERM after the warning of its wall time' : nameStop(reason);
}

/** For people. */
export const nameStop = (reason: unknown): string =>
  typeof reason === 'object' && reason !== null && 'signal' in reason
    ? String(reason.signal)
    : 'it was cancelled';

const meanings: Readonly<Record<string, string>> = {
  SIGTERM: 'scancel, `stop`, preemption or the end of the time limit',
  SIGINT: 'Ctrl-C',
  SIGHUP: 'its terminal is gone',
  SIGUSR2: 'the warning before the time limit',
};

/** The same for who wonders where it came from. */
export function explainStop(reason: unknown): string {
  const name = nameStop(reason);
  return meanings[name] === undefined ? name : `${name} (${meanings[name]})`;
}
