/** What became of a job, as Slurm tells it when the job itself cannot any more. */
import { type CommandOptions, runSlurm } from './command.ts';

export interface Fate {
  /** `OUT_OF_MEMORY`, `TIMEOUT`, `CANCELLED`, `NODE_FAIL`, `COMPLETED`, ... */
  readonly state: string;
  /** `code:signal` of the batch script. */
  readonly exit: string;
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
  return state === undefined ? undefined : { state, exit: /\bExitCode=(\S+)/.exec(line)?.[1] ?? '' };
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
