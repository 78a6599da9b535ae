/** Runs that keep nothing: the dry run, and a user's own documents where there is no Ollama. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { load } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { RagError } from '../../errors.ts';
import type { Plan } from '../../plan/types.ts';
import type { Intent } from './intent.ts';

/** Everything that a run writes, in one folder, whatever the settings say. */
export const inFolder = (settings: Settings, folder: string): Settings => ({
  ...settings,
  RAG_SHARED_ROOT: folder,
  RAG_RUNTIME_STATE: join(folder, 'runtime'),
  RAG_WORKING_DIR: join(folder, 'rag_storage'),
  LOG_ROOT: join(folder, 'logs'),
});

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

/** The defaults, whatever the environment says: a login script full of a job's settings must not change it. */
export const dryRunSettings = (): Settings =>
  load({ flags: {}, environment: { RAG_ENGINE: 'embedded' } }).settings;

/** The sample corpus and its first question. */
export async function makeDryRunIntent(): Promise<Extract<Intent, { kind: 'given' }>> {
  const rows = await readFile(join(examples, 'questions.jsonl'), 'utf8');
  const { question } = JSON.parse(rows.split('\n')[0] ?? '') as { question: string };
  return { kind: 'given', inputs: [join(examples, 'corpus')], query: question };
}

/**
 * @param what for the message, after "Cannot"
 * @throws preflight in a trial: what it makes is thrown away, and no model makes it
 */
export function assertKept(
  { settings, plan }: { readonly settings: Settings; readonly plan: Plan },
  what: string,
): void {
  if (plan.engine !== 'embedded' || settings.RAG_ENGINE !== 'auto') return;
  throw new RagError(
    'preflight',
    `Cannot ${what}: there is no Ollama here, and the embedded engine is no model: an encoder is wanted`,
    { hint: 'OLLAMA_BIN=~/ollama/bin/ollama, or RAG_RETRIEVER=medcpt (e5, contriever, specter)' },
  );
}
