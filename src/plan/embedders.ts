/** The embed instances of a plan. A server works on one text at a time: several servers are the only way to be faster. */
import type { Instance } from './types.ts';

/**
 * `auto` is one that sees every GPU: a plan that knows how much memory they have asks for as many as there is room for. Several share them out as evenly as
 * may be; more instances than GPUs share these in turns.
 */
export function embedInstances({
  count,
  ...given
}: { readonly count: number | 'auto' } & Pick<Instance, 'id' | 'model' | 'gpus'>): Instance[] {
  const { id, model, gpus } = given;
  if (count === 'auto' || count === 1) return [{ id, role: 'embed', model, gpus }];
  return Array.from({ length: count }, (_, at) => ({
    id: `${id}-${at + 1}`,
    role: 'embed',
    model,
    gpus: shareOf(gpus, at, count),
  }));
}

/** Neighbours stay together: their links are faster. */
const shareOf = (gpus: readonly string[], at: number, count: number): readonly string[] =>
  count > gpus.length
    ? gpus.slice(at % gpus.length, (at % gpus.length) + 1)
    : gpus.slice(Math.floor((at * gpus.length) / count), Math.floor(((at + 1) * gpus.length) / count));
