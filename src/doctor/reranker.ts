/** Python children and the reranker that runs elsewhere, asked as a run would ask them before it starts. */
import { toPlain } from '../errors.ts';
import { checkReranker } from '../job/prepare/check-reranker.ts';
import { failure, type Look, ok } from './types.ts';

export const lookAtReranker: Look = async ({ settings, environment, job, plan, signal }) => {
  if (plan === null) return [];
  const about = 'reranker';
  const asks = plan.reranker === 'http' || plan.reranker === 'sidecar' || plan.embedder === 'sidecar';
  if (!asks) return [ok(about, plan.reranker === 'lexical' ? 'without a model, by shared words' : 'none')];
  try {
    await checkReranker({ plan, settings, environment, job, beforeWorkload: false }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = toPlain(error);
    return [failure(about, message, hint)];
  }
  const where = plan.reranker === 'http' ? settings.RERANKER_URL : settings.RERANKER_PYTHON;
  return [ok(about, `${where} has what it needs`)];
};
