/** Whether models fit where a plan puts them. Pure: sizes of models and GPUs come in, a verdict with its numbers goes out. */
import type { ModelShape } from '../machine/model-shape.ts';
import type { Instance } from './types.ts';

export interface Demand {
  readonly weights: number;
  /** For one context. */
  readonly kv: number;
  /** Compute buffers, what the driver takes of each GPU, and a tenth for what was not thought of. */
  readonly overhead: number;
  readonly total: number;
}

const gibibyte = 2 ** 30;

/** Half precision: the server's default. */
const bytesPerNumber = 2;

/** Of a graph for batches of 2,048 tokens. */
const computeBytes = 2 * gibibyte;
/** The driver's own context on each card. */
const perGpuBytes = gibibyte / 2;
const margin = 0.1;

/**
 * Bytes of key-value cache for a context: heads x (key + value) x layers, for each token. For qwen3:235b (94 layers, 4
 * heads, 128 + 128) that is 192,512 bytes a token, and 752 MiB for 4,096, as its log says. Heads and lengths as
 * the header gives them: embedding length / heads is half of that there.
 */
export const kvBytes = (
  { layers, kvHeads, keyLength, valueLength }: ModelShape,
  contextTokens: number,
): number => layers * kvHeads * (keyLength + valueLength) * bytesPerNumber * contextTokens;

/** @param gpus over how many it is spread; 0: the memory of the machine */
export function makeDemand(shape: ModelShape, contextTokens: number, gpus: number): Demand {
  const weights = shape.weightsBytes;
  const kv = kvBytes(shape, contextTokens);
  const bare = weights + kv + computeBytes + perGpuBytes * gpus;
  const total = Math.ceil(bare * (1 + margin));
  return { weights, kv, overhead: total - weights - kv, total };
}

/** How many GPUs of one size would hold it; null when none would, because the GPU itself takes all of its share. */
export function gpusFor(shape: ModelShape, contextTokens: number, gpuBytes: number): number | null {
  for (let gpus = 1; gpus <= 64; gpus++) {
    if (makeDemand(shape, contextTokens, gpus).total <= gpus * gpuBytes) return gpus;
  }
  return null;
}

/** What stands in `plan --json`. Sizes in bytes. */
export interface MemoryLine {
  readonly instance: string;
  readonly model: string;
  readonly gpus: readonly string[];
  readonly need: Demand;
  /** Of its GPUs together, or of the machine; null where that is not known. */
  readonly have: number | null;
  readonly fits: boolean | null;
  /** How many GPUs of the size that is there would do, where these do not. */
  readonly gpus_wanted: number | null;
}

/** What is known of models and machine. */
export interface Facts {
  /** By model; one that is not in the store is not here. */
  readonly shapes: ReadonlyMap<string, ModelShape>;
  readonly contextOf: (instance: Instance) => number;
  /** Bytes of each GPU, by its token; one that nobody could ask is not here. */
  readonly gpuBytes: ReadonlyMap<string, number>;
  /** Of the machine, or of the job's share of it; null where it is not known. */
  readonly hostBytes: number | null;
}

export interface MemoryInput extends Facts {
  readonly instances: readonly Instance[];
}

const host = 'host';

/**
 * Instances that see the same GPU share it, each taking an even part of what it needs from every GPU that it sees; so each is
 * judged by what the ones before it in the plan leave.
 */
export function makeMemory({ instances, shapes, contextOf, gpuBytes, hostBytes }: MemoryInput): MemoryLine[] {
  const sizeOf = (place: string): number | undefined =>
    place === host ? (hostBytes ?? undefined) : gpuBytes.get(place);
  const taken = new Map<string, number>();
  return instances.flatMap((instance) => {
    const shape = shapes.get(instance.model);
    if (shape === undefined) return [];
    const { id, model, gpus } = instance;
    const places = gpus.length === 0 ? [host] : gpus;
    const context = contextOf(instance);
    const need = makeDemand(shape, context, gpus.length);
    const have = sum(places.map((place) => left(sizeOf(place), taken.get(place))));
    for (const place of places) taken.set(place, (taken.get(place) ?? 0) + need.total / places.length);
    const fits = have === null ? null : need.total <= have;
    const each = gpuBytes.get(gpus[0] ?? '');
    const wanted = fits === false && each !== undefined ? gpusFor(shape, context, each) : null;
    return [{ instance: id, model, gpus, need, have, fits, gpus_wanted: wanted }];
  });
}

const left = (size: number | undefined, taken = 0): number | undefined =>
  size === undefined ? undefined : Math.max(0, size - taken);

/** Null when one of them is not known. */
const sum = (sizes: readonly (number | undefined)[]): number | null =>
  sizes.reduce<number | null>((all, size) => (all === null || size === undefined ? null : all + size), 0);

/**
 * On how many GPUs an embed server has room beside what else lives there; null where that is not known.
 *
 * @param gpus that embedders may use; `others` are the instances that use them too
 */
export function roomForEmbedders(
  { shapes, contextOf, gpuBytes }: Omit<Facts, 'hostBytes'>,
  embedder: Instance,
  others: readonly Instance[],
): number | null {
  const shape = shapes.get(embedder.model);
  if (shape === undefined || embedder.gpus.some((gpu) => !gpuBytes.has(gpu))) return null;
  if (others.some(({ role, model }) => role !== 'rerank' && !shapes.has(model))) return null;
  const need = makeDemand(shape, contextOf(embedder), 1).total;
  const usedOf = (gpu: string): number =>
    others
      .filter(({ gpus }) => gpus.includes(gpu))
      .map((other) => {
        const its = shapes.get(other.model);
        return its === undefined
          ? 0
          : makeDemand(its, contextOf(other), other.gpus.length).total / other.gpus.length;
      })
      .reduce((all, part) => all + part, 0);
  return embedder.gpus.filter((gpu) => (gpuBytes.get(gpu) ?? 0) - usedOf(gpu) >= need).length;
}

const gib = (bytes: number): string => `${(bytes / gibibyte).toFixed(1)} GiB`;

/** One line for people. */
export function memoryText({ instance, model, need, have, fits, gpus, gpus_wanted }: MemoryLine): string {
  const parts = `weights ${gib(need.weights)}, context ${gib(need.kv)}, overhead ${gib(need.overhead)}`;
  const wants = `${instance}: ${model} needs ${gib(need.total)} (${parts})`;
  if (fits === null || have === null) return `${wants}; what there is is not known`;
  const where =
    gpus.length === 0
      ? 'memory of the machine has'
      : gpus.length === 1
        ? 'its GPU has'
        : `its ${gpus.length} GPUs have`;
  if (fits) return `${wants}; ${where} ${gib(have)}`;
  const would =
    gpus_wanted === null
      ? ''
      : `; ${gpus_wanted} GPU${gpus_wanted === 1 ? '' : 's'} of this size to itself would do`;
  return `${wants}, which does not fit: ${where} ${gib(have)} for it${would}`;
}
