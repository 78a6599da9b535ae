/** What counts the tokens of prompts in this run. */
import type { Settings } from '../../config/settings.ts';
import type { Plan } from '../../plan/types.ts';
import { makeEstimatingCounter, openTokenCounter, type TokenCounter } from '../../tokens/counter.ts';
import { findModelFile } from '../../tokens/model-file.ts';

export interface TokensInput {
  readonly plan: Pick<Plan, 'engine' | 'instances'>;
  readonly settings: Pick<Settings, 'OLLAMA_MODELS'>;
  readonly log: (level: 'info' | 'warn', line: string) => void;
}

/** The embedded engine has no tokens of its own, and a run that does not answer has nothing to count. */
export async function openTokens({
  plan,
  settings,
  log,
}: TokensInput): Promise<TokenCounter & AsyncDisposable> {
  const model = plan.instances.find(({ role }) => role === 'generate')?.model;
  if (model === undefined || plan.engine !== 'ollama')
    return { ...makeEstimatingCounter(), [Symbol.asyncDispose]: async () => {} };
  const counter = openTokenCounter({
    file: await findModelFile(settings.OLLAMA_MODELS, model),
    onEstimates: (reason) => log('info', `tokens of prompts are estimated, from above: ${reason}`),
  });
  // A vocabulary takes 1 to 2 s to read; the model takes longer to load, and the first question finds both.
  void counter.count(['']);
  return counter;
}
