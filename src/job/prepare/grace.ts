/** How long a service may take to stop, so that all of them have stopped before Slurm kills the job. */
import type { Environment } from '../../config/load.ts';
import type { Job } from '../../slurm/job.ts';
import { readKillWait } from '../../slurm/killwait.ts';

/** Outside a job nobody kills us; a model server that frees 150 GB may take its time. */
const outsideJobMs = 30_000;

/** @param killWaitSeconds Slurm's time between TERM and KILL */
export function makeGraceMs(killWaitSeconds: number): number {
  // Four services may hang one after the other; three seconds stay for the commit and the files.
  return Math.max(1000, Math.floor((killWaitSeconds * 1000 - 3000) / 4));
}

export async function readGraceMs(job: Job, environment: Environment, signal: AbortSignal): Promise<number> {
  if (job.kind === 'local') return outsideJobMs;
  return makeGraceMs(await readKillWait({ env: environment, timeoutMs: 5000, signal }));
}
