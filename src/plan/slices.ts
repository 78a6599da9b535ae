/** Splits a list of GPUs. Tokens are opaque: indices, `GPU-...`, `MIG-...`; they are cut as given, never counted anew. */
import { RagError } from '../errors.ts';

export interface SliceWishes {
  /** `ollama=0-2,reranker=3`: positions in the job's list. Wins over the rest. */
  readonly split?: string | undefined;
  readonly ollamaCount?: number | undefined;
  readonly rerankerCount?: number | undefined;
  /** False when the job does not need the service: then it gets no GPU. */
  readonly needsOllama: boolean;
  readonly needsReranker: boolean;
}

export interface Slices {
  readonly ollama: readonly string[];
  readonly reranker: readonly string[];
  readonly workload: readonly string[];
  readonly parser: readonly string[];
}

/**
 * N >= 2: Ollama the first N-1, the reranker the last. Ollama comes first because it probes the lowest ordinals
 * of what it may see. N = 1: shared. N = 0: empty slices.
 *
 * @throws settings for a split that the job's GPUs cannot give
 */
export function makeSlices(gpus: readonly string[], wishes: SliceWishes): Slices {
  if (wishes.split !== undefined) return readSplit(gpus, wishes.split);
  const last = gpus.length - 1;
  if (gpus.length <= 1) {
    for (const [who, count] of [
      ['Ollama', wishes.ollamaCount],
      ['the reranker', wishes.rerankerCount],
    ] as const) {
      if (count !== undefined && count > gpus.length) throw tooMany(who, count, gpus);
    }
    return {
      ollama: wishes.needsOllama ? gpus : [],
      reranker: wishes.needsReranker ? gpus : [],
      workload: [],
      parser: [],
    };
  }
  const forReranker = wishes.needsReranker ? (wishes.rerankerCount ?? 1) : 0;
  const forOllama = wishes.needsOllama ? (wishes.ollamaCount ?? Math.max(1, gpus.length - forReranker)) : 0;
  if (forReranker > gpus.length) throw tooMany('the reranker', forReranker, gpus);
  if (forOllama > gpus.length) throw tooMany('Ollama', forOllama, gpus);
  if (forOllama + forReranker > gpus.length) {
    throw new RagError(
      'settings',
      `Cannot give Ollama ${forOllama} and the reranker ${forReranker} GPUs: ${jobHas(gpus)}, ${forOllama + forReranker} are wanted`,
      { hint: `#SBATCH --gres=gpu:${forOllama + forReranker}` },
    );
  }
  return {
    ollama: gpus.slice(0, forOllama),
    reranker: forReranker === 0 ? [] : gpus.slice(last - forReranker + 1),
    workload: [],
    parser: [],
  };
}

const owners = ['ollama', 'reranker', 'workload', 'parser'] as const;

function readSplit(gpus: readonly string[], split: string): Slices {
  const slices: Record<(typeof owners)[number], string[]> = {
    ollama: [],
    reranker: [],
    workload: [],
    parser: [],
  };
  const taken = new Map<number, string>();
  for (const part of split.split(/[,\s]+(?=[a-z])/)) {
    const [name = '', positions = ''] = part.trim().split('=');
    const owner = owners.find((known) => known === name);
    if (owner === undefined || !/^\d+(-\d+)?([,+]\d+(-\d+)?)*$/.test(positions)) {
      throw new RagError(
        'settings',
        `Cannot read RAG_GPUS: "${part}" is no share, NAME=POSITIONS with a name of ${owners.join(', ')} is wanted`,
        {
          hint: 'RAG_GPUS=ollama=0-2,reranker=3',
        },
      );
    }
    for (const position of expand(positions)) {
      const token = gpus[position];
      if (token === undefined) throw noSuchGpu(owner, position, gpus);
      const other = taken.get(position);
      if (other !== undefined)
        throw new RagError(
          'settings',
          `Cannot give ${owner} GPU ${position}: ${other} has it, a GPU of its own is wanted`,
        );
      taken.set(position, owner);
      slices[owner].push(token);
    }
  }
  return slices;
}

const expand = (positions: string): number[] =>
  positions.split(/[,+]/).flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    if (to < from)
      throw new RagError(
        'settings',
        `Cannot read RAG_GPUS: ${range} runs backwards, ${to}-${from} is wanted`,
      );
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, offset) => from + offset);
  });

const called: Record<(typeof owners)[number], string> = {
  ollama: 'Ollama',
  reranker: 'the reranker',
  workload: 'the workload',
  parser: 'the parser',
};

const jobHas = (gpus: readonly string[]): string =>
  gpus.length === 0
    ? 'the job has no GPU'
    : `the job has ${gpus.length} GPU${gpus.length === 1 ? '' : 's'} (${gpus.length === 1 ? '0' : `0-${gpus.length - 1}`})`;

const noSuchGpu = (owner: (typeof owners)[number], position: number, gpus: readonly string[]): RagError =>
  new RagError('settings', `Cannot give ${called[owner]} GPU ${position}: ${jobHas(gpus)}`, {
    hint: `#SBATCH --gres=gpu:${position + 1}`,
  });

const tooMany = (who: string, count: number, gpus: readonly string[]): RagError =>
  new RagError('settings', `Cannot give ${who} ${count} GPUs: ${jobHas(gpus)}`, {
    hint: `#SBATCH --gres=gpu:${count}`,
  });
