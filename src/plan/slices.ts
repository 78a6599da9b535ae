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
  /** The reranker runs no model: its GPU is only kept for one, and Ollama may have it when it is asked for all. */
  readonly isReserve?: boolean;
  /** Whether an encoder outside Ollama runs. */
  readonly needsRetriever?: boolean;
  /** Its position in the job's list; undefined: as the others leave it. */
  readonly retrieverGpu?: number | 'cpu' | undefined;
  /** A command of the user's beside the services, and how many GPUs it gets from the front. */
  readonly workload?: { readonly gpus: number | undefined } | undefined;
}

export interface Slices {
  readonly ollama: readonly string[];
  readonly reranker: readonly string[];
  /** Of an encoder outside Ollama. It is small: its GPU may be the reranker's too. */
  readonly retriever: readonly string[];
  readonly workload: readonly string[];
  readonly parser: readonly string[];
}

/**
 * N >= 2: Ollama the first N-1, the reranker the last. Ollama comes first because it probes the lowest ordinals
 * of what it may see. N = 1: shared. N = 0: empty slices. An encoder outside Ollama has the reranker's; without one
 * the last; all of them where nothing else runs. A workload has the first N-1, and the services what it leaves.
 *
 * @throws settings for a split that the job's GPUs cannot give
 */
export function makeSlices(gpus: readonly string[], wishes: SliceWishes): Slices {
  const { needsRetriever = false, retrieverGpu, split } = wishes;
  if (split !== undefined) {
    const named = readSplit(gpus, split);
    if (!needsRetriever || named.retriever.length > 0) return named;
    return { ...named, retriever: named.reranker };
  }
  if (wishes.workload !== undefined) return besidesWorkload(gpus, wishes, wishes.workload.gpus);
  if (!needsRetriever) return { ...slicesOfTwo(gpus, wishes), retriever: [] };
  if (retrieverGpu === 'cpu') return { ...slicesOfTwo(gpus, wishes), retriever: [] };
  if (retrieverGpu !== undefined) return besides(gpus, wishes, retrieverGpu);
  if (!wishes.needsOllama && !wishes.needsReranker) return { ...slicesOfTwo(gpus, wishes), retriever: gpus };
  // Whichever of the two is there has the last GPUs.
  const slices = slicesOfTwo(gpus, { ...wishes, needsReranker: true, isReserve: false });
  return { ...slices, retriever: slices.reranker, reranker: wishes.needsReranker ? slices.reranker : [] };
}

/** The only GPU of a job is shared: then the workload must leave the services their memory. */
function besidesWorkload(gpus: readonly string[], wishes: SliceWishes, count: number | undefined): Slices {
  const train = count ?? Math.max(Math.min(1, gpus.length), gpus.length - 1);
  if (train > gpus.length) throw tooMany('the workload', train, gpus);
  const { retrieverGpu } = wishes;
  const isOwn = train < gpus.length;
  if (typeof retrieverGpu === 'number' && isOwn && retrieverGpu < train)
    throw new RagError(
      'settings',
      `Cannot give the retriever GPU ${retrieverGpu}: the workload has the first ${train}, one behind them is wanted`,
      { hint: `NUM_TRAIN_GPUS=${train} RETRIEVER_GPU=${train}` },
    );
  const position = typeof retrieverGpu === 'number' && isOwn ? retrieverGpu - train : retrieverGpu;
  const rest = isOwn ? gpus.slice(train) : gpus;
  const services = makeSlices(rest, { ...wishes, workload: undefined, retrieverGpu: position });
  return { ...services, workload: gpus.slice(0, train) };
}

/** The retriever at a place of its own: Ollama goes around it where it can. */
function besides(gpus: readonly string[], wishes: SliceWishes, position: number): Slices {
  const own = gpus[position];
  if (own === undefined) throw noSuchGpu('retriever', position, gpus);
  const slices = slicesOfTwo(gpus, wishes);
  const around = slices.ollama.filter((gpu) => gpu !== own);
  const keeps = wishes.ollamaCount !== undefined || around.length === 0;
  return { ...slices, ollama: keeps ? slices.ollama : around, retriever: [own] };
}

/** Of Ollama and the reranker. */
function slicesOfTwo(gpus: readonly string[], wishes: SliceWishes): Omit<Slices, 'retriever'> {
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
  const kept = wishes.isReserve === true && wishes.ollamaCount === gpus.length ? 0 : 1;
  const forReranker = wishes.needsReranker ? (wishes.rerankerCount ?? kept) : 0;
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

const owners = ['ollama', 'reranker', 'retriever', 'workload', 'parser'] as const;

function readSplit(gpus: readonly string[], split: string): Slices {
  const slices: Record<(typeof owners)[number], string[]> = {
    ollama: [],
    reranker: [],
    retriever: [],
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
  retriever: 'the retriever',
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
