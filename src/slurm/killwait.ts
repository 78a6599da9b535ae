import { type CommandOptions, runSlurm } from './command.ts';

/** Slurm's own default. */
const defaultSeconds = 30;

/** Seconds between Slurm's TERM and its KILL on this cluster: what a fast drain has. */
export async function readKillWait(options: CommandOptions): Promise<number> {
  const answer = await runSlurm('scontrol', ['show', 'config'], options);
  const seconds =
    answer.outcome === 'answered' ? /^KillWait\s*=\s*(\d+)/m.exec(answer.stdout)?.[1] : undefined;
  return seconds === undefined ? defaultSeconds : Number(seconds);
}
