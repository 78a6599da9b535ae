import { availableParallelism, hostname } from 'node:os';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the allocation gave this process. Outside Slurm a local job of the same shape, so that nobody
 * downstream asks whether there is a Slurm.
 */
export interface Job {
  readonly kind: 'slurm' | 'local';
  /** Slurm's job id; `local-<pid>` outside Slurm. */
  readonly id: string;
  /** Job id of the array that this job is a task of; null when it is none. */
  readonly arrayJob: string | null;
  /** Index in the array. */
  readonly task: string | null;
  /** How often Slurm has requeued the job; 0 the first time. */
  readonly restart: number;
  /** The node that this process runs on, by Slurm's name. */
  readonly node: string;
  /** How many nodes the job has. */
  readonly nodes: number;
  /** CPUs of the job on this node. */
  readonly cpus: number;
  /**
   * The GPUs as CUDA_VISIBLE_DEVICES gave them: indices, `GPU-...` or `MIG-...`, opaque. Slurm renumbers them
   * where devices are constrained, so SLURM_JOB_GPUS (global ids) says something else. Null: nobody said.
   */
  readonly gpus: readonly string[] | null;
}

/** The facts of the host that a job outside Slurm is made of. */
export interface Host {
  readonly hostname: string;
  readonly pid: number;
  readonly cpus: number;
}

const thisHost = (): Host => ({ hostname: hostname(), pid: process.pid, cpus: availableParallelism() });

export function readJob(env: Environment, host: Host = thisHost()): Job {
  const id = env['SLURM_JOB_ID'] ?? '';
  const gpus = readGpus(env['CUDA_VISIBLE_DEVICES']);
  if (id === '') {
    const local = { kind: 'local', id: `local-${host.pid}`, arrayJob: null, task: null, restart: 0 } as const;
    return { ...local, node: shortName(host.hostname), nodes: 1, cpus: host.cpus, gpus };
  }
  return {
    kind: 'slurm',
    id,
    arrayJob: env['SLURM_ARRAY_JOB_ID'] ?? null,
    task: env['SLURM_ARRAY_TASK_ID'] ?? null,
    restart: leadingNumber(env['SLURM_RESTART_COUNT']) ?? 0,
    node: env['SLURMD_NODENAME'] ?? shortName(host.hostname),
    nodes: leadingNumber(env['SLURM_JOB_NUM_NODES']) ?? leadingNumber(env['SLURM_NNODES']) ?? 1,
    cpus: readCpus(env) ?? host.cpus,
    gpus,
  };
}

/**
 * The job's name for Slurm's tools and for files: `ARRAY_TASK` for a task of an array. Never the bare id there: the
 * last task's id is the array's own, and requeuing it restarts every task.
 */
export const jobKey = (job: Job): string =>
  job.arrayJob !== null && job.task !== null ? `${job.arrayJob}_${job.task}` : job.id;

/**
 * What scancel must name to reach this process when it is a step's task: `12.0`. Of a heterogeneous job all steps:
 * `12`, because a step is known only by its component's id, which nobody tells it (22.05). Null for the batch script's
 * own process, and outside Slurm.
 */
export function readStep(env: Environment, job: Job): string | null {
  const step = env['SLURM_STEP_ID'] ?? '';
  // The batch step and the like have numbers near 2^32.
  if (job.kind === 'local' || !/^\d{1,9}$/.test(step)) return null;
  return env['SLURM_HET_SIZE'] === undefined ? `${jobKey(job)}.${step}` : jobKey(job);
}

/** CUDA ends the list at the first negative index; `NoDevFiles` is what Slurm writes when there are none. */
function readGpus(visible: string | undefined): readonly string[] | null {
  if (visible === undefined) return null;
  const tokens = visible.split(',').map((token) => token.trim());
  const end = tokens.findIndex((token) => token.startsWith('-') || token === 'NoDevFiles');
  return (end === -1 ? tokens : tokens.slice(0, end)).filter((token) => token !== '');
}

/** On this node first: a task's share says too little in a batch script of several tasks. */
const readCpus = (env: Environment): number | undefined =>
  leadingNumber(env['SLURM_CPUS_ON_NODE']) ??
  leadingNumber(env['SLURM_JOB_CPUS_PER_NODE']) ??
  leadingNumber(env['SLURM_CPUS_PER_TASK']);

/** `8(x2),4` is 8: Slurm's notation for several nodes begins with the first. */
function leadingNumber(text: string | undefined): number | undefined {
  const digits = /^\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

const shortName = (name: string): string => name.split('.')[0] ?? name;
