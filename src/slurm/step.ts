/**
 * Whether slurmstepd, Slurm's own process for this job, still stands above us. When it is killed, nobody is left to
 * end the job: it goes on, and the next scancel or time limit calls it ended at once and gives its GPUs away
 * while all of it lives (measured with 22.05 and linuxproc, pgid and cgroup tracking alike).
 */
import { RagError } from '../errors.ts';
import type { Job } from './job.ts';
import { readAncestors } from './launch.ts';

export interface StepWatch extends Disposable {
  /** Aborts when slurmstepd is gone; never where it was not our parent, as below a shell of salloc. */
  readonly gone: AbortSignal;
}

/** `signal` names it where a reason is a signal. */
const stepGone = (): RagError =>
  Object.assign(new RagError('aborted', 'Cannot go on: slurmstepd is gone, and with it the job'), {
    signal: 'slurmstepd is gone',
  });

/** Who loses his parent gets another one: nothing is read after the start, so that nothing can be misread. */
export async function watchStep({ kind }: Pick<Job, 'kind'>, periodMs = 1000): Promise<StepWatch> {
  const parent = process.ppid;
  const [name] = kind === 'slurm' ? await readAncestors(parent, 1) : [];
  const gone = new AbortController();
  const look = (): void => {
    if (process.ppid !== parent) gone.abort(stepGone());
  };
  const timer = name === 'slurmstepd' ? setInterval(look, periodMs).unref() : undefined;
  return { gone: gone.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
