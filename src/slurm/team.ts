type Environment = Readonly<Record<string, string | undefined>>;

/** The supervisors that one command of Slurm's has started for one piece of work: tasks of an array, or of a step. */
export interface Team {
  /** Names the command for ever. The same after a requeue, another one for every `sbatch` and `srun`. */
  readonly name: string;
  /** Names this member in this attempt, so that the same member's next command is told from this one. */
  readonly me: string;
  /** Its place, from 0; a hint for who begins where. */
  readonly rank: number;
  readonly size: number;
}

/** Undefined for a supervisor that works alone, which is every one outside Slurm. */
export function readTeam(env: Environment): Team | undefined {
  const job = env['SLURM_ARRAY_JOB_ID'] ?? env['SLURM_JOB_ID'] ?? '';
  const array = readArray(env);
  const step = readStep(env);
  const size = array.size * step.size;
  if (job === '' || size < 2) return undefined;
  return {
    name: [env['SLURM_CLUSTER_NAME'] ?? 'cluster', job, ...(step.size > 1 ? [step.id] : [])].join('-'),
    me: `${array.task}.${step.rank}.${env['SLURM_RESTART_COUNT'] ?? '0'}`,
    rank: array.rank * step.size + step.rank,
    size,
  };
}

function readArray(env: Environment): { task: number; rank: number; size: number } {
  if (env['SLURM_ARRAY_JOB_ID'] === undefined) return { task: 0, rank: 0, size: 1 };
  const task = numberOf(env['SLURM_ARRAY_TASK_ID'], 0);
  const size = Math.max(1, numberOf(env['SLURM_ARRAY_TASK_COUNT'], 1));
  const distance = task - numberOf(env['SLURM_ARRAY_TASK_MIN'], 0);
  // `--array=1,5,6` has no step: then two may get one rank, and begin at the same place.
  const rank = Math.floor(distance / Math.max(1, numberOf(env['SLURM_ARRAY_TASK_STEP'], 1))) % size;
  return { task, rank: Math.max(0, rank), size };
}

/** Only srun sets these: a batch script on two nodes is one supervisor. */
const readStep = (env: Environment): { id: string; rank: number; size: number } => ({
  id: env['SLURM_STEP_ID'] ?? '0',
  rank: numberOf(env['SLURM_PROCID'], 0),
  size: env['SLURM_STEP_ID'] === undefined ? 1 : Math.max(1, numberOf(env['SLURM_STEP_NUM_TASKS'], 1)),
});

const numberOf = (text: string | undefined, otherwise: number): number =>
  /^\d+$/.test(text ?? '') ? Number(text) : otherwise;
