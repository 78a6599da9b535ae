/** What will run where. Pure: the allocation and the settings come in, a plan that can be printed goes out. */
import { RagError } from '../errors.ts';
import { embedInstances } from './embedders.ts';
import { chooseReranker, rerankerInstances, type RerankerWishes } from './reranker.ts';
import { encoderInstances, type RetrieverWishes } from './retriever.ts';
import { makeSlices } from './slices.ts';
import type { Instance, Plan, ServiceName } from './types.ts';
import { planWarnings } from './warnings.ts';

export interface PlanInput {
  /** GPU tokens as the allocation gave them; null when it says nothing of GPUs. */
  readonly gpus: readonly string[] | null;
  readonly insideJob: boolean;
  readonly mode: 'ingest' | 'query' | 'serve' | 'workload';
  readonly services?: readonly ServiceName[] | undefined;
  readonly engine: 'auto' | 'ollama' | 'embedded';
  /** Whether a service was named that already runs. */
  readonly isRemote?: boolean;
  /** Whether an `ollama` program was found. */
  readonly hasOllama: boolean;
  readonly generateModel: string;
  readonly embedModel: string;
  readonly embedInstances?: number | 'auto' | undefined;
  readonly reranker: RerankerWishes;
  /** Ollama embeds when nothing is said. */
  readonly retriever?: RetrieverWishes;
  readonly split?: string | undefined;
  readonly ollamaCount?: number | undefined;
  readonly rerankerCount?: number | undefined;
  /** NUM_TRAIN_GPUS, with a workload. */
  readonly trainGpus?: number | undefined;
  readonly allowCpu: boolean;
  /** Whether an outside parser reads documents. */
  readonly hasParser?: boolean;
}

const ollamaEmbeds: RetrieverWishes = { embedder: 'ollama', encoders: [], gpu: undefined };

export const embeddedModels = { embed: 'embedded-hashing', generate: 'embedded-extractive' } as const;

/** @throws settings, preflight: an impossible split, no GPU, no Ollama where one is needed */
export function makePlan(input: PlanInput): Plan {
  const needs = makeNeeds(input);
  if (!needs.includes('embed')) throw noEmbedder();
  const { retriever = ollamaEmbeds } = input;
  const { embedder } = retriever;
  const gpus = input.gpus ?? [];
  const reranker = needs.includes('rerank') ? chooseReranker(input.reranker) : 'none';
  const needsOllama = embedder === 'ollama' || needs.includes('generate');
  const engine = needsOllama ? chooseEngine(input) : 'none';
  const slices = makeSlices(gpus, {
    split: input.split,
    ollamaCount: input.ollamaCount,
    rerankerCount: input.rerankerCount,
    needsOllama: needsOllama && engine !== 'remote',
    // One that runs elsewhere takes no GPU of the job; the one without a model keeps its slice reserved.
    needsReranker: reranker === 'sidecar' || reranker === 'lexical',
    isReserve: reranker === 'lexical',
    needsRetriever: embedder === 'sidecar',
    retrieverGpu: retriever.gpu,
    workload: input.mode === 'workload' ? { gpus: input.trainGpus } : undefined,
  });
  if (slices.workload.length > 0 && input.mode !== 'workload') throw noWorkload();
  const plan: Plan = {
    gpus,
    slices,
    engine,
    embedder,
    reranker,
    instances: [
      ...(engine === 'none' ? [] : makeInstances(input, { needs, engine, slices, embedder })),
      ...encoderInstances(retriever.encoders, slices.retriever),
      ...rerankerInstances(reranker, slices.reranker, input.reranker.modelPath),
    ],
    memory: [],
    warnings: [],
  };
  if (input.insideJob && !input.allowCpu) refuseCpu(plan, retriever.gpu === 'cpu');
  return {
    ...plan,
    warnings: planWarnings({ ...input, retriever, reranks: needs.includes('rerank') }, plan),
  };
}

/** A model that would run on the CPU by oversight. @throws preflight */
function refuseCpu({ engine, reranker, embedder, slices, gpus }: Plan, encodesOnCpu: boolean): void {
  if (engine === 'ollama' && slices.ollama.length === 0) throw noGpu('Ollama', gpus.length);
  if (reranker === 'sidecar' && slices.reranker.length === 0) throw noGpu('the reranker', gpus.length);
  if (embedder === 'sidecar' && slices.retriever.length === 0 && !encodesOnCpu)
    throw noGpu('the retriever', gpus.length);
}

/** Only what the job needs is checked, sized, started and part of ready. */
function makeNeeds(
  input: Pick<PlanInput, 'mode' | 'services' | 'generateModel' | 'isRemote'>,
): readonly ServiceName[] {
  const wanted =
    input.services ??
    (input.mode === 'ingest'
      ? (['embed'] as const)
      : input.mode === 'workload' && input.isRemote !== true
        ? (['embed', 'rerank'] as const)
        : (['embed', 'rerank', 'generate'] as const));
  return wanted.filter((name) => name !== 'generate' || input.generateModel !== 'none');
}

function chooseEngine(input: PlanInput): Exclude<Plan['engine'], 'none'> {
  if (input.isRemote === true && input.engine !== 'embedded') return 'remote';
  if (input.engine !== 'auto') {
    if (input.engine === 'ollama' && !input.hasOllama) throw noOllama();
    return input.engine;
  }
  if (input.hasOllama) return 'ollama';
  // A job that silently answers without a model would burn a night of GPU hours.
  if (input.insideJob) throw noOllama();
  return 'embedded';
}

function makeInstances(
  input: PlanInput,
  {
    needs,
    engine,
    slices,
    embedder,
  }: Pick<Plan, 'slices' | 'embedder'> & {
    readonly needs: readonly ServiceName[];
    readonly engine: Exclude<Plan['engine'], 'none'>;
  },
): Instance[] {
  const models =
    engine === 'embedded' ? embeddedModels : { embed: input.embedModel, generate: input.generateModel };
  // Two instances: in one server the models would evict each other, 142 GB a time.
  const instances: Instance[] = [];
  if (needs.includes('generate'))
    instances.push({
      id: `${engine}-generate`,
      role: 'generate',
      model: models.generate,
      gpus: slices.ollama,
    });
  if (embedder === 'ollama')
    instances.push(
      ...embedInstances({
        id: `${engine}-embed`,
        model: models.embed,
        gpus: slices.ollama,
        count: input.embedInstances ?? 'auto',
      }),
    );
  return instances;
}

const noOllama = (): RagError =>
  new RagError(
    'preflight',
    'Cannot start Ollama: there is no such program, a path or an `ollama` on PATH is wanted',
    {
      hint: 'export OLLAMA_BIN=/path/to/ollama   # or, to try without a model: RAG_ENGINE=embedded',
    },
  );

const noEmbedder = (): RagError =>
  new RagError(
    'settings',
    'Cannot plan the run: RAG_SERVICES leaves out embed, which ingest and retrieval need',
    {
      hint: 'unset RAG_SERVICES   # or RAG_SERVICES=embed,rerank',
    },
  );

const noWorkload = (): RagError =>
  new RagError('settings', 'Cannot give GPUs to a workload: there is none, a command is wanted', {
    hint: 'node dist/supervisor.js run -- python train.py   # or RAG_GPUS=ollama=0-2,reranker=3',
  });

/** Models on the CPU by oversight would burn a night: it is asked for, or it is an error. */
const noGpu = (who: string, count: number): RagError =>
  new RagError(
    'preflight',
    `Cannot plan the job: ${count === 0 ? 'it has no GPU' : `its split leaves ${who} no GPU`}, at least one is wanted`,
    { hint: 'sbatch --gres=gpu:4 sbatch/rag_allinone.sbatch   # or add --allow-cpu' },
  );
