/** Whether the models of a plan are in the store, asked of its files before a server starts. */
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import { readModel } from '../machine/model-store.ts';
import type { Plan } from '../plan/types.ts';

/**
 * Said before any GPU is used. A store that is not there says nothing: the server itself is asked later.
 * @throws preflight with the `ollama pull` line
 */
export async function checkModels(plan: Plan, settings: Pick<Settings, 'OLLAMA_MODELS'>): Promise<void> {
  if (plan.engine !== 'ollama') return;
  const models = plan.instances
    .filter((instance) => instance.role !== 'rerank')
    .map((instance) => instance.model);
  const found = await Promise.all(
    models.map(async (model) => [model, await readModel(settings.OLLAMA_MODELS, model)] as const),
  );
  const missing = found.filter(([, state]) => state === 'absent').map(([model]) => model);
  if (missing.length === 0) return;
  throw new RagError(
    'preflight',
    `Cannot serve ${missing.join(' and ')}: not in the model store ${settings.OLLAMA_MODELS}, a complete model is wanted`,
    { hint: missing.map((model) => `ollama pull ${model}`).join(' && ') },
  );
}
