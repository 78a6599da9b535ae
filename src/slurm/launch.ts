import { readFile } from 'node:fs/promises';
import type { Job } from './job.ts';

/**
 * Names of the processes above this one, nearest first, at most `depth`; shorter where /proc does not tell
 * (hidepid, not Linux).
 *
 * @param parent pid of the first
 */
export async function readAncestors(parent: number = process.ppid, depth: number = 2): Promise<string[]> {
  const names: string[] = [];
  for (let pid = parent; pid > 0 && names.length < depth;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // `pid (name) state ppid ...`; the name may itself hold parentheses, so the last one closes it.
    const fields = /^\d+ \((.*)\) \S (\d+)/s.exec(stat);
    if (fields?.[1] === undefined) break;
    names.push(fields[1]);
    pid = Number(fields[2]);
  }
  return names;
}

/**
 * What is wrong with how Slurm started the supervisor, if anything. Slurm's signals go to the direct
 * child of slurmstepd: with a shell in between, proctrack/cgroup kills the supervisor with no
 * grace at all at the time limit, at scancel and at preemption, and the `--signal=B:` warning kills the shell.
 *
 * @param ancestors from `readAncestors`
 * @param handedOver an older Node's door stands between and passes signals on
 */
export function launchWarning(
  job: Job,
  ancestors: readonly string[],
  handedOver: boolean,
): string | undefined {
  const parent = ancestors[handedOver ? 1 : 0];
  if (job.kind === 'local' || parent === undefined || parent === 'slurmstepd') return undefined;
  return (
    `The supervisor was started by "${parent}", not by Slurm itself, so Slurm's warnings do not reach it and it may be ` +
    'killed without any time to commit. Put "exec" before node in the batch script.'
  );
}
