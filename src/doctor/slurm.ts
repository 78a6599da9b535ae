/** Slurm's own view: whether its tools answer, what they say of this job, and how the supervisor was started. */
import { launchWarning, readAncestors } from '../slurm/launch.ts';
import { runSlurm } from '../slurm/command.ts';
import { type Job, jobKey } from '../slurm/job.ts';
import { readTimeLeft } from '../slurm/time.ts';
import { type Finding, firstLine, type Look, ok, warning } from './types.ts';

const about = 'Slurm';
const timeoutMs = 10_000;

export const lookAtSlurm: Look = async ({ job, environment, signal }) => {
  const options = { env: environment, timeoutMs, signal };
  const config = await runSlurm('scontrol', ['show', 'config'], options);
  if (config.outcome === 'missing' && job.kind === 'local')
    return [ok(about, 'not here: a local run, `sbatch` starts the job where there is one')];
  if (config.outcome !== 'answered')
    return [
      warning(
        about,
        `${firstLine(config.reason)}; without it there is no time left, no requeue, no comment`,
        'module load slurm',
      ),
    ];
  const findings = [judgeConfig(config.stdout)];
  if (job.kind === 'local')
    return [...findings, ok(about, 'not inside of a job: what the job will have is not known here')];
  return [...findings, await lookAtJob(job, options), ...(await lookAtLaunch(job))];
};

/** Leaves are stopped in order within KillWait: that is what decides how much is committed at `scancel`. */
export function judgeConfig(text: string): Finding {
  const read = (key: string): string | undefined =>
    new RegExp(`^${key}\\s*=\\s*(.+?)\\s*$`, 'm').exec(text)?.[1];
  const killWait = Number.parseInt(read('KillWait') ?? '', 10);
  const said = `${read('SLURM_VERSION') ?? 'unknown version'}, ${read('ProctrackType') ?? 'unknown tracking'}, KillWait ${killWait} s`;
  if (killWait < 10)
    return warning(
      about,
      `${said}: little time to commit at scancel`,
      'sbatch --signal=B:USR2@120 ...   # the warning leaves more',
    );
  return ok(about, said);
}

async function lookAtJob(job: Job, options: Parameters<typeof runSlurm>[2]): Promise<Finding> {
  const left = await readTimeLeft(job, { ...options, now: () => new Date() });
  if (left.kind === 'unknown')
    return warning(about, `job ${jobKey(job)}: the time left is not known: ${left.reason}`);
  const time = left.kind === 'limited' ? `ends at ${left.endsAt.toISOString()}` : 'has no time limit';
  return ok(about, `job ${jobKey(job)} on ${job.node} ${time}`);
}

async function lookAtLaunch(job: Job): Promise<Finding[]> {
  // A shell of `srun --pty` or `salloc` is no batch script, and a doctor whom a batch script calls is not its supervisor.
  const [parent] = await readAncestors();
  if (parent !== undefined && /^(?:(?:ba|z|da|tc|k)?sh|slurm_script)$/.test(parent)) return [];
  const wrong = launchWarning(job, await readAncestors(), process.channel != null);
  return wrong === undefined
    ? []
    : [warning(about, wrong, 'exec node dist/supervisor.js   # in the batch script')];
}
