/** What keeps the processes of a run from outliving it. Opened before the first of them, closed after the last. */
import type { Log } from '../observe/log.ts';
import { jobKey } from '../slurm/job.ts';
import { startGuard, type Guard } from '../supervise/guard.ts';
import { endLeftovers, makeMark } from '../supervise/leftovers.ts';
import type { Prepared } from './prepare.ts';

export interface Containment extends AsyncDisposable {
  readonly guard: Guard;
  /** In the environment of every process of the run, as RAG_SUPERVISOR_ID. */
  readonly supervisorId: string;
}

const name = 'RAG_SUPERVISOR_ID';
const never = new AbortController().signal;

/** Ends what a dead supervisor of this job has left on this node (its runners hold GPU memory), and posts the guard. */
export async function openContainment(
  { job, environment }: Pick<Prepared, 'job' | 'environment'>,
  run: string,
  log: Log,
): Promise<Containment> {
  const family = jobKey(job);
  const { ended, left } = await endLeftovers({ name, family, inherited: environment[name], signal: never });
  if (ended.length > 0)
    log('warn', `ended ${ended.length} processes that a dead supervisor of this job had left`, { ended });
  if (left.length > 0)
    log('warn', `${left.length} processes of a dead supervisor of this job cannot be ended`, { left });
  const supervisorId = makeMark(family, run);
  const guard = startGuard({
    mark: { name, value: supervisorId },
    path: environment['PATH'] ?? '',
    onEvent: (event, detail) => log.file(`guard: ${event}`, detail),
  });
  return { guard, supervisorId, [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose]() };
}
