/** `plan --corpus`: what a corpus will make of an index, and how long that will take. */
import type { Settings } from '../../config/settings.ts';
import { type CorpusEstimate, estimateCorpus } from '../../plan/corpus.ts';
import type { Plan } from '../../plan/types.ts';
import type { Job } from '../../slurm/job.ts';
import { surveyCorpus } from './corpus-sample.ts';
import { readEmbeddingSpeed } from './embedding-speed.ts';
import { embedDimensions } from './models-in-force.ts';

export interface ForecastInput {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly job: Job;
  readonly signal: AbortSignal;
}

/** Of most embedders; the model itself is not asked. */
const usualDimensions = 1024;

/** @throws no-input, aborted */
export async function forecast(
  path: string,
  { plan, settings, job, signal }: ForecastInput,
): Promise<CorpusEstimate> {
  const chunker = { targetTokens: settings.RAG_CHUNK_TOKENS, overlapTokens: settings.RAG_CHUNK_OVERLAP };
  const threads = Math.max(1, Math.min(4, job.cpus - 1));
  const surveyed = await surveyCorpus([path], { chunker, threads, signal });
  const dimensions = embedDimensions(settings, settings.OLLAMA_EMBED_MODEL) ?? usualDimensions;
  return estimateCorpus({
    ...surveyed,
    vectorBytes: plan.embedder === 'none' ? 0 : dimensions * (settings.RAG_VECTOR_TYPE === 'f16' ? 2 : 4),
    gpus: plan.gpus.length,
    tokensPerSecond: await readEmbeddingSpeed(settings.LOG_ROOT, plan),
  });
}
