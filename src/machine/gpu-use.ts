import { askProgram, type QuestionOptions } from './question.ts';

/** What a GPU does now, as its driver tells it. */
export interface GpuUse {
  /** As nvidia-smi counts: it sees what the job may see. */
  readonly index: string;
  /** `GPU-...`: the same on every look and for every program. */
  readonly uuid: string;
  readonly name: string;
  /** 0 to 1: for how much of the last moments (a sixth of a second to a second) anything ran on it. Null where the driver does not tell (MIG). */
  readonly use: number | null;
  readonly memoryBytes: number | null;
  readonly memoryTotalBytes: number | null;
}

const fields = ['index', 'uuid', 'utilization.gpu', 'memory.used', 'memory.total', 'name'];

/** Undefined when there was no answer: too late, or a driver that fails. */
export async function readGpuUse(
  nvidiaSmi: string,
  options: QuestionOptions,
): Promise<readonly GpuUse[] | undefined> {
  const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  const answer = await askProgram([nvidiaSmi, ...query], options);
  return answer.outcome === 'failed' ? undefined : parseGpuUse(answer.stdout);
}

/** @param text lines of `index, uuid, percent, MiB used, MiB in all, name`; what is not such a line is passed over */
export function parseGpuUse(text: string): readonly GpuUse[] {
  return text.split('\n').flatMap((line) => {
    const [index = '', uuid = '', use, used, total, ...name] = line.split(',').map((part) => part.trim());
    if (!/^\d+$/.test(index) || !/^\S+$/.test(uuid) || name.length === 0) return [];
    const percent = numberIn(use);
    return {
      index,
      uuid,
      name: name.join(', '),
      use: percent === null ? null : Math.min(1, percent / 100),
      memoryBytes: bytesIn(used),
      memoryTotalBytes: bytesIn(total),
    };
  });
}

/** `[N/A]`, `[Not Supported]` and `[Unknown Error]` are no numbers. */
const numberIn = (text: string | undefined): number | null =>
  text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;

function bytesIn(text: string | undefined): number | null {
  const mebibytes = numberIn(text);
  return mebibytes === null ? null : mebibytes * 2 ** 20;
}
