/** What became of a job, as Slurm tells it when the job itself cannot any more. */
import { type CommandOptions, runSlurm } from './command.ts';

export interface Fate {
  /** `OUT_OF_MEMORY`, `TIMEOUT`, `CANCELLED`, `NODE_FAIL`, `COMPLETED`, ... */
  readonly state: string;
  /** `code:signal` of the batch script. */
  readonly exit: string;
  /** Why it waits, in Slurm's word: `Resources`, `PartitionTimeLimit`, ... */
  readonly reason?: string;
  /** Where its batch script writes. */
  readonly output?: string;
}

/**
 * The controller knows a job for some minutes after its end, the accounting for ever, where a site has one.
 * Undefined when neither answers: that says nothing of the job.
 */
export async function readFate(job: string, options: CommandOptions): Promise<Fate | undefined> {
  const shown = await runSlurm('scontrol', ['show', 'job', '-o', job], options);
  const known = shown.outcome === 'answered' ? parseShown(shown.stdout) : undefined;
  if (known !== undefined) return known;
  const columns = ['-X', '-n', '-P', '-o', 'State,ExitCode', '-j', job];
  const counted = await runSlurm('sacct', columns, options);
  return counted.outcome === 'answered' ? parseCounted(counted.stdout) : undefined;
}

export function parseShown(line: string): Fate | undefined {
  const state = /\bJobState=(\w+)/.exec(line)?.[1];
  if (state === undefined) return undefined;
  const [, reason = 'None'] = /\bReason=(\S+)/.exec(line) ?? [];
  const [, output] = /\bStdOut=(\S+)/.exec(line) ?? [];
  return {
    state,
    exit: /\bExitCode=(\S+)/.exec(line)?.[1] ?? '',
    ...(state === 'PENDING' && reason !== 'None' && { reason }),
    ...(output !== undefined && { output }),
  };
}

/** @param text `CANCELLED by 1000|0:15`, a line for each restart, the last one last */
export function parseCounted(text: string): Fate | undefined {
  const [state = '', exit = ''] = text.trim().split('\n').at(-1)?.split('|') ?? [];
  const word = /^\w+/.exec(state)?.[0];
  return word === undefined ? undefined : { state: word, exit };
}

const mends: Readonly<Record<string, string>> = {
  OUT_OF_MEMORY: 'its memory was not enough: #SBATCH --mem=...',
  TIMEOUT:
    'it ran into its wall time: #SBATCH --time=... or --signal=B:USR2@300, which requeues what is left',
  CANCELLED: 'it was cancelled',
  PREEMPTED: 'another job took its place',
  NODE_FAIL: 'its node failed',
  BOOT_FAIL: 'its node failed',
  FAILED: 'its last log lines tell more',
};

/** For people: what Slurm says, and what that means. */
export const fateText = ({ state, exit }: Fate): string =>
  `Slurm says ${state} (${exit})${mends[state] === undefined ? '' : `: ${mends[state]}`}`;

/** Of a job that Slurm has not begun, or whose supervisor has only just started. */
const coming = ['PENDING', 'CONFIGURING', 'RUNNING', 'REQUEUED', 'REQUEUE_HOLD', 'RESIZING', 'SUSPENDED'];

export const isComing = ({ state }: Fate): boolean => coming.includes(state);

const waits: Readonly<Record<string, string>> = {
  PartitionTimeLimit:
    'its time is above the limit of its partition, so that it never begins: scancel it, export SBATCH_TIMELIMIT=... and submit it again',
  Resources: 'it is next, when enough is free',
  Priority: 'others are before it',
};

/** For people, of a job that has no supervisor yet, or never had one. */
export function withoutSupervisorText(job: string, fate: Fate): string {
  const { state, reason, output } = fate;
  if (state === 'PENDING')
    return `job ${job} has not begun: Slurm says PENDING${reason === undefined ? '' : ` (${reason})${waits[reason] === undefined ? '' : `: ${waits[reason]}`}`}`;
  const log = output === undefined ? '' : `; its output: ${output}`;
  if (isComing(fate)) return `job ${job} has no supervisor yet: Slurm says ${state}${log}`;
  return `job ${job} ended without a supervisor: ${fateText(fate)}${log}`;
}
