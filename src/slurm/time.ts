import { type CommandOptions, runSlurm } from './command.ts';
import { type Job, jobKey } from './job.ts';

/** How long the job may still run. `unknown` is no verdict: whoever asked goes on as before. */
export type TimeLeft =
  | { readonly kind: 'limited'; readonly endsAt: Date }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Asks squeue, which is right even after `scontrol update TimeLimit=`; when it does not answer, Slurm's
 * snapshot in SLURM_JOB_END_TIME (since 23.02) must do. Ask rarely, once a minute at most: one answer costs
 * the controller, which all users share.
 */
export async function readTimeLeft(
  job: Job,
  options: CommandOptions & { readonly now: () => Date },
): Promise<TimeLeft> {
  if (job.kind === 'local') return { kind: 'unlimited' };
  // A user's SLURM_TIME_FORMAT would print dates that only people read.
  const env = { ...options.env, SLURM_TIME_FORMAT: 'standard' };
  const answer = await runSlurm('squeue', ['-h', '-j', jobKey(job), '-o', '%L|%e'], { ...options, env });
  const asked: TimeLeft =
    answer.outcome === 'answered'
      ? parseTimeLeft(answer.stdout, options.now())
      : { kind: 'unknown', reason: answer.reason };
  return asked.kind === 'unknown' ? (readEndTime(options.env) ?? asked) : asked;
}

/** SLURM_JOB_END_TIME: seconds since the epoch. */
function readEndTime(env: CommandOptions['env']): TimeLeft | undefined {
  const seconds = Number(env['SLURM_JOB_END_TIME']);
  return seconds > 0 ? { kind: 'limited', endsAt: new Date(seconds * 1000) } : undefined;
}

/**
 * Reads one line of `squeue -o '%L|%e'`.
 *
 * `%L` is `[[days-]hours:]minutes:seconds`, `UNLIMITED`, `NOT_SET` or `INVALID`; `%e` is a local date or
 * `N/A`. The date decides only where the first says nothing.
 */
export function parseTimeLeft(line: string, now: Date): TimeLeft {
  const [left = '', end = ''] = line.trim().split('|');
  if (left === 'UNLIMITED') return { kind: 'unlimited' };
  const seconds = parseDuration(left);
  if (seconds !== undefined) return { kind: 'limited', endsAt: new Date(now.getTime() + seconds * 1000) };
  const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(end) ? new Date(end) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) return { kind: 'limited', endsAt: date };
  return { kind: 'unknown', reason: `squeue said "${line.trim().slice(0, 80)}"` };
}

/** Seconds in `1-02:03:04`, `02:03:04`, `3:04`. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d\d)$/.exec(text);
  if (parts === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
