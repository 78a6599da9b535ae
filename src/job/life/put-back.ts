/** What a job does with the work that its wall time left: back into the queue, to go on where it stopped. */
import { join } from 'node:path';
import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { errorTable } from '../../errors.ts';
import { readSupervisors, type SupervisorRecord } from '../../services/state-file.ts';
import { type Job, jobKey } from '../../slurm/job.ts';
import { requeue } from '../../slurm/requeue.ts';
import { never, pause } from '../../supervise/pause.ts';
import { whyStop } from './stop-reason.ts';

export interface Ended {
  readonly exit: number;
  /** Why it was told to stop; undefined when nobody told it. */
  readonly reason: unknown;
}

export interface EndedRun {
  readonly job: Job;
  readonly settings: Pick<Settings, 'RAG_MAX_REQUEUES' | 'RAG_DRAIN_SECONDS' | 'RAG_RUNTIME_STATE'>;
  readonly environment: Environment;
}

/**
 * Only the warning before the wall time requeues: TERM before that time means that somebody wants the job gone. Called when everything
 * is closed, because Slurm ends what still runs. Where the job has a supervisor on each of several nodes, any that has
 * work left asks, after the others have ended too; who comes second is refused, and nothing is lost by that.
 *
 * @returns a line for the log; undefined when there is nothing to put back
 */
export async function putBack(
  { job, settings, environment }: EndedRun,
  ended: Ended,
): Promise<string | undefined> {
  if (job.kind === 'local' || !wantsRequeue(ended)) return undefined;
  if (job.nodes > 1) await untilAlone(job, settings);
  const toldToEnd = whyStop(ended.reason).over.aborted;
  const options = { env: environment, timeoutMs: 10_000, signal: never, toldToEnd };
  const answer = await requeue(job, settings.RAG_MAX_REQUEUES, options);
  if (answer.outcome === 'requeued') return 'requeued: the work that is left goes on when the job runs again';
  const verdict = answer.outcome === 'refused' ? 'not requeued' : 'perhaps not requeued';
  return `${verdict}: ${answer.reason}; the same sbatch command goes on with what is left`;
}

export const wantsRequeue = ({ exit, reason }: Ended): boolean =>
  exit === errorTable.stopped.exit && whyStop(reason).warned;

const lookEveryMs = 500;

async function untilAlone(job: Job, settings: EndedRun['settings']): Promise<void> {
  const folder = join(settings.RAG_RUNTIME_STATE, 'supervisors');
  const deadline = performance.now() + settings.RAG_DRAIN_SECONDS * 1000;
  while (othersRunning(await readSupervisors(folder, new Date()), job) && performance.now() < deadline)
    await pause(lookEveryMs, never);
}

/** Names are `JOB.NODE`, with a number behind it for another one on that node. */
export const othersRunning = (
  records: readonly Pick<SupervisorRecord, 'name' | 'presence'>[],
  job: Job,
): boolean =>
  records.some(
    ({ name, presence }) =>
      presence === 'running' &&
      name.startsWith(`${jobKey(job)}.`) &&
      !`${name}.`.startsWith(`${jobKey(job)}.${job.node}.`),
  );
