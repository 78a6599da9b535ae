/** Which GPUs there are, which of them the job has, and what hides them from Ollama. */
import { askProgram } from '../machine/question.ts';
import type { Environment } from '../config/load.ts';
import { findProgram } from '../supervise/death-signal.ts';
import { failure, type Finding, type Look, ok, warning } from './types.ts';

const about = 'GPUs';

export const lookAtGpus: Look = async ({ job, environment, settings, plan, signal }) => {
  const findings = judgeMasks(environment);
  const nvidiaSmi = findProgram('nvidia-smi', environment['PATH'] ?? '');
  const models = plan?.engine === 'ollama';
  if (nvidiaSmi === undefined) {
    const said = 'there is no nvidia-smi on PATH';
    if (!models || settings.RAG_ALLOW_CPU)
      return [...findings, ok(about, `${said}: models would run on the CPU`)];
    const where = job.kind === 'slurm' ? failure : warning;
    return [
      ...findings,
      where(about, said, 'srun --gres=gpu:1 nvidia-smi   # login nodes have none; or --allow-cpu'),
    ];
  }
  // A driver that has to initialise its cards first takes seconds.
  const listed = await askProgram([nvidiaSmi, '-L'], { timeoutMs: 30_000, signal });
  if (listed.outcome === 'failed')
    return [
      ...findings,
      failure(about, `nvidia-smi: ${listed.why}`, 'nvidia-smi -L   # ask the site if this hangs or fails'),
    ];
  return [...findings, judgeCards(listed.stdout, job.gpus)];
};

/** @param listed what `nvidia-smi -L` prints: a line for each card, those of a MIG card indented below it */
export function judgeCards(listed: string, allocated: readonly string[] | null): Finding {
  const cards = listed.split('\n').filter((line) => /^GPU \d+:/.test(line));
  const names = [...new Set(cards.map((line) => /^GPU \d+: (.+?) \(UUID/.exec(line)?.[1] ?? 'unknown'))];
  const seen = `${cards.length} here (${names.join(', ') || 'none'})`;
  if (allocated === null)
    return warning(
      about,
      `${seen}; CUDA_VISIBLE_DEVICES is not set, so that nothing is split`,
      'sbatch --gres=gpu:4 ...',
    );
  if (allocated.length === 0)
    return failure(about, `${seen}; the job has none`, 'sbatch --gres=gpu:4 ...   # or --allow-cpu');
  return ok(about, `${seen}; the job has ${allocated.join(',')}`);
}

const masks = [
  'ROCR_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
  'ZE_AFFINITY_MASK',
] as const;

/** Slurm sets them too; with them Ollama silently runs on the CPU. A run unsets them. */
export function judgeMasks(environment: Environment): Finding[] {
  const set = masks.filter((name) => environment[name] !== undefined);
  if (set.length === 0 || environment['CUDA_VISIBLE_DEVICES'] === undefined) return [];
  return [ok(about, `${set.join(', ')} stand beside CUDA_VISIBLE_DEVICES: services get the latter alone`)];
}
