import { askProgram, type QuestionOptions } from './question.ts';

/**
 * Bytes of memory of each GPU, by its index and by its UUID: an allocation names them in either way. Empty where there is
 * no nvidia-smi; a MIG instance is not in the list, and its size not known.
 */
export async function readGpuSizes(
  nvidiaSmi: string,
  options: QuestionOptions,
): Promise<ReadonlyMap<string, number>> {
  const query = ['--query-gpu=index,uuid,memory.total', '--format=csv,noheader,nounits'];
  const answer = await askProgram([nvidiaSmi, ...query], options);
  return answer.outcome === 'failed' ? new Map() : parseGpuSizes(answer.stdout);
}

/** @param text lines of `index, uuid, MiB` */
export function parseGpuSizes(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, index, uuid, mebibytes] = /^\s*(\d+)\s*,\s*(\S+)\s*,\s*(\d+)\s*$/.exec(line) ?? [];
    if (index === undefined || uuid === undefined) continue;
    sizes.set(index, Number(mebibytes) * 2 ** 20).set(uuid, Number(mebibytes) * 2 ** 20);
  }
  return sizes;
}
