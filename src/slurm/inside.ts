/** A program inside a job that already runs, started from elsewhere: `srun --overlap`. */

export interface Inside {
  /** As Slurm's own commands take it. */
  readonly job: string;
  /** By Slurm's name. */
  readonly node: string;
  readonly command: readonly string[];
}

/** For the controller to make the step. */
const immediateSeconds = 30;

/**
 * Nothing of the job's is taken away from it: CPUs and memory are shared, GPUs are not asked for. It sees no folder of the
 * caller's, which may not be there.
 */
export const srunInside = ({ job, node, command }: Inside): string[] => [
  'srun',
  '--overlap',
  `--jobid=${job}`,
  `--nodelist=${node}`,
  '--nodes=1',
  '--ntasks=1',
  '--gres=none',
  '--mpi=none',
  '--chdir=/',
  '--quiet',
  `--immediate=${immediateSeconds}`,
  ...command,
];

/** What describes another job than the one that is meant, as its memory and its tasks, contradicts or stops srun. */
export const envForSrun = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (entry[0] === 'SLURM_CONF' || !/^(?:SLURM|SRUN|SBATCH|SALLOC)_/.test(entry[0])),
    ),
  );

export type Refusal = 'over' | 'not-yet' | 'not-yours' | 'no-srun' | 'no-room' | 'other';

/** Why srun would not, by what it says (22.05 to 24.11). */
export function srunRefusalOf(said: string): Refusal {
  if (/Invalid job id|expired|already complet|has finished/i.test(said)) return 'over';
  if (/pending execution/i.test(said)) return 'not-yet';
  if (/denied/i.test(said)) return 'not-yours';
  if (/ENOENT/.test(said)) return 'no-srun';
  if (/busy|temporarily disabled|Unable to create step|Resources|immediate/i.test(said)) return 'no-room';
  return 'other';
}
