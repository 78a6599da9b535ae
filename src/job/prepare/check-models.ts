/** Whether the models of a plan are in the store, asked of its files before a server starts. */
import type { Settings } from '../../config/settings.ts';
import { messageOf, RagError, toPlain } from '../../errors.ts';
import { notInStore, readModel } from '../../machine/model-store.ts';
import type { Plan } from '../../plan/types.ts';
import { ollamaModels } from './models-in-force.ts';

/**
 * Said before any GPU is used. A store that is not there says nothing: the server itself is asked later.
 * @throws preflight with the `ollama pull` line
 */
export async function checkModels(plan: Plan, settings: Pick<Settings, 'OLLAMA_MODELS'>): Promise<void> {
  if (plan.engine !== 'ollama') return;
  const models = ollamaModels(plan).map(({ model }) => model);
  const store = settings.OLLAMA_MODELS;
  const found = await Promise.all(models.map(async (model) => [model, await look(store, model)] as const));
  const missing = found.flatMap(([model, state]) =>
    state === 'absent' || state === 'incomplete' ? [[model, state] as const] : [],
  );
  if (missing.length > 0) throw notInStore(store, missing);
}

/**
 * What `run` would stop at, or could not know beforehand, for a plan that only is looked at.
 *
 * @param sized models whose size is known
 */
export async function modelWarnings(
  plan: Plan,
  settings: Pick<Settings, 'OLLAMA_MODELS'>,
  sized: ReadonlySet<string>,
): Promise<string[]> {
  const refusal = await checkModels(plan, settings).then(() => undefined, toPlain);
  if (refusal !== undefined) return [`${refusal.message}: ${refusal.hint ?? ''}`];
  const models = new Set(ollamaModels(plan).map(({ model }) => model));
  return plan.engine !== 'ollama'
    ? []
    : [...models]
        .filter((model) => !sized.has(model))
        .map(
          (model) =>
            `Whether ${model} fits is not known: ${settings.OLLAMA_MODELS} (OLLAMA_MODELS) is no model store that could tell its size.`,
        );
}

async function look(store: string, model: string): ReturnType<typeof readModel> {
  try {
    return await readModel(store, model);
  } catch (cause) {
    throw new RagError(
      'preflight',
      `Cannot read the model store ${store}: ${messageOf(cause)}, a readable one is wanted`,
      { hint: `ls -la ${store}/manifests   # or set OLLAMA_MODELS`, cause },
    );
  }
}
