/** What a job does with the work that its wall time left: back into the queue, to go on where it stopped. */
import type { Settings } from '../config/settings.ts';
import type { Environment } from '../config/load.ts';
import { errorTable } from '../errors.ts';
import type { Job } from '../slurm/job.ts';
import { requeue } from '../slurm/requeue.ts';

export interface Ended {
  readonly exit: number;
  /** Why it was told to stop; undefined when nobody told it. */
  readonly reason: unknown;
}

/**
 * Only the warning before the wall time requeues: TERM means that somebody wants the job gone.
 * Called when everything is closed, because Slurm ends what still runs.
 *
 * @returns a line for the log; undefined when there is nothing to put back
 */
export async function putBack(
  {
    job,
    settings,
    environment,
  }: { job: Job; settings: Pick<Settings, 'RAG_MAX_REQUEUES'>; environment: Environment },
  ended: Ended,
): Promise<string | undefined> {
  if (job.kind === 'local' || !wantsRequeue(ended)) return undefined;
  const options = { env: environment, timeoutMs: 10_000, signal: new AbortController().signal };
  const answer = await requeue(job, settings.RAG_MAX_REQUEUES, options);
  if (answer.outcome === 'requeued') return 'requeued: the work that is left goes on when the job runs again';
  const verdict = answer.outcome === 'refused' ? 'not requeued' : 'perhaps not requeued';
  return `${verdict}: ${answer.reason}; the same sbatch command goes on with what is left`;
}

export const wantsRequeue = ({ exit, reason }: Ended): boolean =>
  exit === errorTable.stopped.exit &&
  typeof reason === 'object' &&
  reason !== null &&
  'signal' in reason &&
  reason.signal === 'SIGUSR2';
