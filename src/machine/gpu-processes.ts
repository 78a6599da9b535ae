import { askProgram, type QuestionOptions } from './question.ts';

/** A process that holds memory on a GPU, as the driver tells it. The process itself may be gone. */
export interface GpuProcess {
  readonly pid: number;
  /** Null where the driver does not tell (MIG, old versions). */
  readonly mebibytes: number | null;
}

/** Undefined where there is no nvidia-smi, or it does not answer in time: then nothing is known. */
export async function readGpuProcesses(
  nvidiaSmi: string,
  options: QuestionOptions,
): Promise<readonly GpuProcess[] | undefined> {
  const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  const answer = await askProgram([nvidiaSmi, ...query], options);
  return answer.outcome === 'failed' ? undefined : parseComputeApps(answer.stdout);
}

/** @param text lines of `pid, MiB`; a process on two GPUs stands in two lines */
export function parseComputeApps(text: string): readonly GpuProcess[] {
  const byPid = new Map<number, GpuProcess>();
  for (const line of text.split('\n')) {
    const [, pid, memory] = /^\s*(\d+)\s*,\s*(.+?)\s*$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const known = byPid.get(Number(pid))?.mebibytes ?? 0;
    const mebibytes = /^\d+$/.test(memory ?? '') ? Number(memory) + known : null;
    byPid.set(Number(pid), { pid: Number(pid), mebibytes });
  }
  return [...byPid.values()];
}
