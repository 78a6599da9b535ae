/** The plan of a run, from its settings and its allocation. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { makePlan } from '../../plan/plan.ts';
import type { Plan } from '../../plan/types.ts';
import type { Job } from '../../slurm/job.ts';
import { planMode, type Intent } from './intent.ts';
import { makeRetriever } from './retriever.ts';

export interface PlanWishes {
  /** Planned for GPUs and an Ollama that are not here. */
  readonly elsewhere?: boolean;
  readonly embedders?: number | 'auto';
}

/** @throws settings, preflight */
export function planFor(
  settings: Settings,
  environment: Environment,
  job: Job,
  intent: Intent,
  { elsewhere = false, embedders = settings.OLLAMA_INSTANCES }: PlanWishes = {},
): Plan {
  return makePlan({
    gpus: job.gpus,
    insideJob: elsewhere || job.kind === 'slurm',
    mode: planMode(intent),
    services: settings.RAG_SERVICES,
    engine: settings.RAG_ENGINE,
    isRemote: settings.OLLAMA_HOST !== undefined,
    hasOllama: elsewhere || isProgram(settings.OLLAMA_BIN, environment['PATH'] ?? ''),
    generateModel: settings.OLLAMA_GENERATE_MODEL,
    embedModel: settings.OLLAMA_EMBED_MODEL,
    embedInstances: embedders,
    reranker: {
      backend: settings.RERANKER_BACKEND,
      modelPath: settings.RERANKER_MODEL_PATH,
      url: settings.RERANKER_URL,
    },
    retriever: { ...makeRetriever(settings), gpu: settings.RETRIEVER_GPU },
    split: settings.RAG_GPUS,
    ollamaCount: settings.OLLAMA_GPUS,
    rerankerCount: settings.RERANKER_GPUS,
    trainGpus: settings.NUM_TRAIN_GPUS,
    allowCpu: settings.RAG_ALLOW_CPU,
    hasParser: settings.RAG_PARSER !== undefined,
  });
}

const isProgram = (name: string, path: string): boolean =>
  name.includes('/')
    ? existsSync(name)
    : path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
