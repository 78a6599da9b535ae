import type { ModelShape } from '../machine/model-shape.ts';

/**
 * The two models that are the default, for a plan on a machine whose store has not got them yet. Sizes as the
 * registry publishes them, shapes from their headers.
 */
export const knownModels: ReadonlyMap<string, ModelShape> = new Map([
  ['qwen3:235b', { weightsBytes: 142_151_000_000, layers: 94, kvHeads: 4, keyLength: 128, valueLength: 128 }],
  [
    'qwen3-embedding:8b',
    { weightsBytes: 4_700_000_000, layers: 36, kvHeads: 8, keyLength: 128, valueLength: 128 },
  ],
]);
