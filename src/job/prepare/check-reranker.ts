/** Whether the reranker and the encoder that were asked for can be had, asked before anything starts. */
import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { codeOf, messageOf, RagError } from '../../errors.ts';
import { encodersOf } from '../../plan/retriever.ts';
import type { Plan } from '../../plan/types.ts';
import type { Job } from '../../slurm/job.ts';
import { checkSidecar } from './check-sidecar.ts';
import { openServer } from '../models/reranker.ts';
import { sidecarProgram } from '../services/sidecars.ts';

interface Asked {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly environment: Environment;
  readonly job: Job;
  /** Whether a program of the user's is yet to start: the server may be that. */
  readonly beforeWorkload: boolean;
}

/** @throws preflight with the line that mends it; aborted */
export async function checkReranker(
  { plan, settings, environment, job, beforeWorkload }: Asked,
  signal: AbortSignal,
): Promise<void> {
  if (plan.reranker === 'http') await checkServer(settings, beforeWorkload, signal);
  const [reranker] = plan.instances.filter(({ role }) => role === 'rerank' && plan.reranker === 'sidecar');
  const [encoder] = plan.instances.filter(({ role }) => role === 'embed' && plan.embedder === 'sidecar');
  const first = reranker ?? encoder;
  if (first === undefined) return;
  const encode = encoder === undefined ? [] : encodersOf(encoder);
  // Once for both: importing PyTorch takes seconds.
  const program = sidecarProgram(settings, job, first, { rerank: reranker?.model, encode });
  await checkSidecar(program, environment, signal);
}

/** Asked one question of ours, which finds its language as well. */
async function checkServer(settings: Settings, mayComeLater: boolean, signal: AbortSignal): Promise<void> {
  await using server = await openServer(settings);
  try {
    await server.find(signal);
  } catch (error) {
    if (codeOf(error) !== 'model-unavailable') throw error;
    if (mayComeLater) return;
    throw new RagError('preflight', `Cannot use RERANKER_URL: ${messageOf(error)}`, {
      hint: `curl -i ${settings.RERANKER_URL ?? ''}/health   # or RERANKER_BACKEND=lexical`,
      cause: error,
    });
  }
}
