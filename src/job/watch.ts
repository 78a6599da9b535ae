/** Keeps the state file of a run true while it runs, and knows the time that is left. */
import { openStateFile } from '../services/state-file.ts';
import { jobKey } from '../slurm/job.ts';
import { readTimeLeft } from '../slurm/time.ts';
import { deathSignalPrefix } from '../supervise/death-signal.ts';
import { stateFilePath } from './face.ts';
import type { OpenJob } from './open.ts';
import type { RunView } from './run.ts';
import { makeStatus, type SupervisorStatus } from './status.ts';

export interface Watch extends AsyncDisposable {
  status(): SupervisorStatus;
  /** To be called on every change; writes at most once a second. */
  changed(): void;
}

/** squeue is asked once a minute at most: one answer costs the controller, which all users share. */
const askSlurmEveryMs = 60_000;

export async function openWatch(open: OpenJob, view: RunView): Promise<Watch> {
  const { job, plan, environment } = open.prepared;
  const containment =
    (await deathSignalPrefix('SIGKILL', environment['PATH'] ?? '')).length > 0 ? 'death-signal' : 'none';
  let endsAt: Date | null = null;
  const status = (): SupervisorStatus =>
    makeStatus({
      job: jobKey(job),
      node: job.node,
      pid: process.pid,
      phase: view.phase,
      plan,
      children: open.tree.statuses(),
      progress: view.progress,
      endpoint: view.endpoint,
      containment,
      endsAt,
      now: new Date(),
    });

  const file = await openStateFile({
    path: stateFilePath(open),
    onError: (error) => open.log.file(`state file: ${String(error)}`),
  });
  const changed = (): void => file.write(status());
  const over = new AbortController();
  const askTime = async (): Promise<void> => {
    const left = await readTimeLeft(job, {
      env: environment,
      timeoutMs: 10_000,
      signal: over.signal,
      now: () => new Date(),
    });
    if (left.kind === 'limited') endsAt = left.endsAt;
    if (left.kind === 'unlimited') endsAt = null;
  };
  const timer = setInterval(() => void askTime().then(changed), askSlurmEveryMs).unref();
  const first = askTime().then(changed);
  const unsubscribe = open.tree.onChange(changed);
  changed();

  return {
    status,
    changed,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      unsubscribe();
      over.abort();
      await first;
      view.phase = 'ended';
      changed();
      await file[Symbol.asyncDispose]();
    },
  };
}
