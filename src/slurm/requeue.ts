import { type CommandOptions, runSlurm } from './command.ts';
import { type Job, jobKey } from './job.ts';

/** `refused` ends this run as any other; `unknown`: scontrol was missing, slow or failed. */
export type Requeue =
  | { readonly outcome: 'requeued' }
  | { readonly outcome: 'refused' | 'unknown'; readonly reason: string };

/**
 * Puts the job back into the queue under its own id. Slurm then sends TERM to what still runs, and KILL
 * after KillWait: call it when all is committed.
 *
 * @param maxRequeues RAG_MAX_REQUEUES: a job that never gets further must not run for ever
 */
export async function requeue(job: Job, maxRequeues: number, options: CommandOptions): Promise<Requeue> {
  if (job.kind === 'local') return { outcome: 'refused', reason: 'there is no Slurm job' };
  if (job.restart >= maxRequeues)
    return {
      outcome: 'refused',
      reason: `it was requeued ${job.restart} times, RAG_MAX_REQUEUES is ${maxRequeues}`,
    };
  // Slurm would requeue a job that its user cancelled while it was draining.
  const shown = await runSlurm('scontrol', ['show', 'job', '-o', jobKey(job)], options);
  if (shown.outcome === 'answered' && /\bJobState=CANCELLED/.test(shown.stdout))
    return { outcome: 'refused', reason: 'it was cancelled' };
  const answer = await runSlurm('scontrol', ['requeue', jobKey(job)], options);
  if (answer.outcome !== 'answered') return { outcome: 'unknown', reason: answer.reason };
  // "Requested operation is presently disabled for job N" comes with exit status 0 (22.05 and 24.11).
  const complaint = answer.stderr.trim();
  return complaint === '' ? { outcome: 'requeued' } : { outcome: 'refused', reason: complaint };
}
