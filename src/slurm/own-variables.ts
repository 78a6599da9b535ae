/**
 * Variables that `sbatch` hands on from the job that it is called in: Slurm sets those of an array, and how often a job was
 * requeued, only where there is something to set. Believed, they would have the other job requeued in place of this one.
 */
import { type CommandOptions, runSlurm } from './command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment as it is true of this job. Slurm is asked only where something may be another's; where it does not answer,
 * all is believed.
 */
export async function ownVariables(
  env: Environment,
  options: Omit<CommandOptions, 'env'>,
): Promise<Environment> {
  const id = env['SLURM_JOB_ID'] ?? '';
  const isDoubtful = env['SLURM_ARRAY_JOB_ID'] !== undefined || env['SLURM_RESTART_COUNT'] !== undefined;
  if (id === '' || !isDoubtful) return env;
  const shown = await runSlurm('scontrol', ['show', 'job', '-o', id], { ...options, env });
  return shown.outcome === 'answered' ? correct(env, shown.stdout) : env;
}

/** @param shown a line for each task, where the job's id is that of its array. Pure. */
export function correct(env: Environment, shown: string): Environment {
  const line = shown.split('\n').find((one) => one.startsWith(`JobId=${env['SLURM_JOB_ID']} `));
  if (line === undefined) return env;
  const field = (name: string): string | undefined => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1];
  const isTask = field('ArrayJobId') !== undefined;
  const kept = Object.entries(env).filter(([name]) => isTask || !name.startsWith('SLURM_ARRAY_'));
  return {
    ...Object.fromEntries(kept),
    SLURM_RESTART_COUNT: field('Restarts') ?? env['SLURM_RESTART_COUNT'],
  };
}
