import { type CommandOptions, runSlurm } from './command.ts';
import { type Job, jobKey } from './job.ts';
import { parseDuration } from './time.ts';

/** `refused` ends this run as any other; `unknown`: scontrol was missing, slow or failed. */
export type Requeue =
  | { readonly outcome: 'requeued' }
  | { readonly outcome: 'refused' | 'unknown'; readonly reason: string };

export interface RequeueOptions extends CommandOptions {
  /** TERM followed the warning: at the wall time, or from somebody who wants the job gone. */
  readonly toldToEnd: boolean;
}

/**
 * Puts the job back into the queue under its own id. Slurm then sends TERM to what still runs, and KILL
 * after KillWait: call it when all is committed.
 *
 * @param maxRequeues RAG_MAX_REQUEUES: a job that never gets further must not run for ever
 */
export async function requeue(
  job: Job,
  maxRequeues: number,
  { toldToEnd, ...options }: RequeueOptions,
): Promise<Requeue> {
  if (job.kind === 'local') return { outcome: 'refused', reason: 'there is no Slurm job' };
  if (job.restart >= maxRequeues)
    return {
      outcome: 'refused',
      reason: `it was requeued ${job.restart} times, RAG_MAX_REQUEUES is ${maxRequeues}`,
    };
  const shown = await runSlurm('scontrol', ['show', 'job', '-o', jobKey(job)], options);
  if (shown.outcome === 'answered' && wasCancelled(shown.stdout, toldToEnd))
    return { outcome: 'refused', reason: 'it was told to end before its wall time' };
  if (shown.outcome !== 'answered' && toldToEnd) return { outcome: 'unknown', reason: shown.reason };
  const answer = await runSlurm('scontrol', ['requeue', jobKey(job)], options);
  if (answer.outcome !== 'answered')
    return (await wasRequeued(job, options))
      ? { outcome: 'requeued' }
      : { outcome: 'unknown', reason: answer.reason };
  // "Requested operation is presently disabled for job N" comes with exit status 0 (22.05 and 24.11).
  const complaint = answer.stderr.trim();
  return complaint === '' ? { outcome: 'requeued' } : { outcome: 'refused', reason: complaint };
}

/** Slurm's TERM may reach the very scontrol that asked for it; `Restarts` counts from that moment on (22.05). */
async function wasRequeued(job: Job, options: CommandOptions): Promise<boolean> {
  const shown = await runSlurm('scontrol', ['show', 'job', '-o', jobKey(job)], options);
  if (shown.outcome !== 'answered') return false;
  return Number(/\bRestarts=(\d+)/.exec(shown.stdout)?.[1] ?? 0) > job.restart;
}

/**
 * Slurm would requeue a job that its user cancelled while it was draining. As long as a process of it lives, both
 * that job and one that ran into its limit are COMPLETING (22.05); but the clock of the one has stopped before its
 * limit. Pure.
 */
function wasCancelled(shown: string, toldToEnd: boolean): boolean {
  const field = (name: string): string => new RegExp(`\\b${name}=(\\S+)`).exec(shown)?.[1] ?? '';
  const isEnding = /^(?:COMPLETING|CANCELLED)/.test(field('JobState'));
  if (!isEnding && !toldToEnd) return false;
  const ran = parseDuration(field('RunTime'));
  const limit = parseDuration(field('TimeLimit'));
  return ran === undefined || limit === undefined || ran < limit;
}
