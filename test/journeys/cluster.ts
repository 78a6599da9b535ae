/** A real Slurm with four fake GPUs a node, and jobs of the program's own batch script on it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkout, until } from './program.ts';

const run = promisify(execFile);
const path = `${process.env['PATH']}:/usr/sbin:/sbin`;
const has = (program: string): boolean => path.split(':').some((folder) => existsSync(join(folder, program)));

/** Why there can be no cluster here; false where there can. */
export const noCluster: string | false =
  process.getuid?.() !== 0
    ? 'a throw-away Slurm needs root'
    : ['slurmctld', 'slurmd', 'munged', 'sbatch'].every(has)
      ? false
      : 'Slurm is not installed: scripts/test.sh says how';

/** All others, like SIGNALING, pass. */
const ended = /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|BOOT_FAIL|DEADLINE)$/;

/** Disposing cancels it, so that a test that failed does not keep the GPUs from the next. */
export interface SubmittedJob extends AsyncDisposable {
  readonly id: string;
  readonly runtime: string;
  /** The index, when the job makes one. */
  readonly index: string;
  /** All that the job printed so far. */
  output(): Promise<string>;
}

export interface Cluster extends AsyncDisposable {
  /** Everything of this cluster and its jobs lies under it. */
  readonly folder: string;
  submit(options: {
    readonly words: readonly string[];
    readonly sbatch?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    /** Of the folder `sbatch`; default: rag_allinone. */
    readonly script?: string;
    /** With the script's own CPUs and time: options for one component of a job do not fit the other. */
    readonly bare?: boolean;
  }): Promise<SubmittedJob>;
  slurm(tool: string, ...args: string[]): Promise<string>;
  /** Resolves with Slurm's `code:signal` once the job has ended for good. */
  untilEnded(
    job: Pick<SubmittedJob, 'id'>,
    boundMs: number,
  ): Promise<{ readonly state: string; readonly exit: string }>;
}

/** How Slurm knows the processes of a job: by their parents, their group, or a cgroup. */
export const proctracks = ['linuxproc', 'pgid', 'cgroup'] as const;
export type Proctrack = (typeof proctracks)[number];

/** Why there can be no cluster with this tracking here; false where there can. */
export const noClusterWith = (proctrack: Proctrack): string | false =>
  proctrack !== 'cgroup' || ['freezer', 'devices'].every((name) => existsSync(`/sys/fs/cgroup/${name}`))
    ? noCluster
    : 'proctrack/cgroup needs cgroup v1';

export async function startCluster({
  proctrack = 'linuxproc',
  nodes = 1,
  taskProlog,
}: {
  readonly proctrack?: Proctrack;
  readonly nodes?: number;
  /** A shell script that Slurm runs before every task: `export NAME=value` on its output is the task's. */
  readonly taskProlog?: string;
} = {}): Promise<Cluster> {
  // Short: the path of munge's socket has at most 107 bytes.
  const folder = await mkdtemp('/tmp/rag-slurm-');
  const script = join(checkout, 'scripts/slurm-cluster.sh');
  const prolog = join(folder, 'task-prolog.sh');
  if (taskProlog !== undefined) await writeFile(prolog, taskProlog, { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: path,
    PROCTRACK: proctrack,
    ...(taskProlog !== undefined && { TASK_PROLOG: prolog }),
    KILL_WAIT: '15',
    SLURM_CONF: join(folder, 'slurm.conf'),
  };
  await run(script, ['up', folder, String(nodes), '4'], { env });
  const slurm = async (tool: string, ...args: string[]): Promise<string> =>
    (await run(tool, args, { env, timeout: 20_000 })).stdout.trim();
  const untilEnded: Cluster['untilEnded'] = (job, boundMs) =>
    until(`the end of job ${job.id}`, boundMs, async () => {
      const shown = await slurm('scontrol', 'show', 'job', job.id);
      const state = /JobState=(\w+)/.exec(shown)?.[1] ?? '';
      const exit = / ExitCode=(\S+)/.exec(shown)?.[1] ?? '';
      return ended.test(state) ? { state, exit } : undefined;
    });
  return {
    folder,
    slurm,
    untilEnded,
    submit: async (options) => {
      const job = await submit(folder, env, options);
      const cancel = async (): Promise<void> => {
        await slurm('scancel', job.id);
        await untilEnded(job, 60_000);
      };
      return { ...job, [Symbol.asyncDispose]: cancel };
    },
    [Symbol.asyncDispose]: async () => {
      await run(script, ['down', folder], { env });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function submit(
  folder: string,
  env: NodeJS.ProcessEnv,
  options: Parameters<Cluster['submit']>[0],
): Promise<Omit<SubmittedJob, typeof Symbol.asyncDispose>> {
  const own = await mkdtemp(join(folder, 'job-'));
  await mkdir(join(own, 'home'));
  const jobEnv = {
    PATH: `${join(checkout, 'test/fixtures/fake-ollama')}:${path}`,
    SLURM_CONF: env['SLURM_CONF'],
    HOME: join(own, 'home'),
    RAG_HOME: checkout,
    RAG_SHARED_ROOT: join(own, 'data'),
    RAG_RUNTIME_STATE: join(own, 'runtime'),
    LOG_ROOT: join(own, 'logs'),
    ...options.env,
  };
  const output = join(own, 'out.txt');
  const words = [
    '--parsable',
    ...(options.bare === true ? [] : ['--cpus-per-task=2', '--time=5']),
    `--output=${output}`,
    ...(options.sbatch ?? []),
  ];
  const batch = join(checkout, `sbatch/${options.script ?? 'rag_allinone'}.sbatch`);
  const { stdout } = await run('sbatch', [...words, batch, ...options.words], { env: jobEnv, cwd: own });
  return {
    id: stdout.trim(),
    runtime: jobEnv.RAG_RUNTIME_STATE,
    index: join(jobEnv.RAG_SHARED_ROOT, 'rag_storage'),
    output: () => readFile(output, 'utf8').catch(() => '(nothing)'),
  };
}

/** Until the state file of the job's supervisor tells of the phase. */
export const untilPhase = (job: SubmittedJob, phase: string): Promise<true> =>
  until(`phase ${phase}`, 60_000, async () => {
    const folder = join(job.runtime, 'supervisors');
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return texts.some((text) => (JSON.parse(text) as { phase: string }).phase === phase) ? true : undefined;
  });
