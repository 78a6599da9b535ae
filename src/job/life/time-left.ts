/** When the job must end, asked of Slurm in the background while the run lives. */
import type { Environment } from '../../config/load.ts';
import type { Job } from '../../slurm/job.ts';
import { readTimeLeft } from '../../slurm/time.ts';

export interface TimeLeftView extends AsyncDisposable {
  /** Null: no limit, or not known. */
  endsAt(): Date | null;
}

/** One answer costs the controller, which all users share. */
const askEveryMs = 60_000;

/** @param onEndsAt told whenever Slurm has said that there is a limit */
export function openTimeLeft(
  job: Job,
  environment: Environment,
  onChange: () => void,
  onEndsAt: (endsAt: Date) => void = () => undefined,
): TimeLeftView {
  const over = new AbortController();
  let endsAt: Date | null = null;
  const ask = async (): Promise<void> => {
    const options = { env: environment, timeoutMs: 10_000, signal: over.signal, now: () => new Date() };
    const left = await readTimeLeft(job, options);
    if (left.kind !== 'unknown') endsAt = left.kind === 'limited' ? left.endsAt : null;
    if (endsAt !== null) onEndsAt(endsAt);
    onChange();
  };
  let asked = ask();
  const timer = setInterval(() => {
    asked = asked.then(ask);
  }, askEveryMs).unref();
  return {
    endsAt: () => endsAt,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      over.abort();
      await asked;
    },
  };
}
