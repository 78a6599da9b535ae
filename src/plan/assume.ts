/** GPUs that are not here: `4x80GiB`. Pure. */
import { RagError } from '../errors.ts';

export interface AssumedGpus {
  readonly tokens: readonly string[];
  /** Bytes of each. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** @throws usage */
export function readAssumedGpus(text: string): AssumedGpus {
  const [, count, size] = /^(\d{1,2})x(\d+(?:\.\d+)?)(?:GiB|GB|G)?$/i.exec(text.trim()) ?? [];
  if (count === undefined || size === undefined || Number(size) === 0)
    throw new RagError('usage', `Cannot assume the GPUs "${text}": a number and a size of each is wanted`, {
      hint: '--assume-gpus 4x80GiB',
    });
  const tokens = Array.from({ length: Number(count) }, (_, index) => String(index));
  return { tokens, sizes: new Map(tokens.map((token) => [token, Number(size) * 2 ** 30])) };
}
