/** Whether the folders that a run writes to can be written, asked before anything starts. Makes nothing. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Settings } from '../../config/settings.ts';
import { RagError } from '../../errors.ts';
import { embeddedModels } from '../../plan/plan.ts';
import { readRecord } from '../../store/write/record.ts';

const written = ['RAG_RUNTIME_STATE', 'LOG_ROOT'] as const;

/**
 * @param ingests whether the index is written to: questions are answered from one that others may only read
 * @throws preflight naming the setting
 */
export async function checkFolders(settings: Settings, ingests: boolean): Promise<void> {
  for (const name of ingests ? (['RAG_WORKING_DIR', ...written] as const) : written) {
    const reason = await whyNotWritable(settings[name]);
    if (reason === undefined) continue;
    throw new RagError(
      'preflight',
      `Cannot write to ${settings[name]}: ${reason}, a folder of yours is wanted`,
      {
        hint: settings[name].startsWith(settings.RAG_SHARED_ROOT)
          ? 'export RAG_SHARED_ROOT=$HOME/rag-data   # index and runtime are below it; or any folder that you may write to'
          : `export ${name}=$HOME/rag-data/${name === 'LOG_ROOT' ? 'logs' : name === 'RAG_WORKING_DIR' ? 'rag_storage' : 'runtime'}   # or any folder that you may write to`,
      },
    );
  }
}

/** The nearest folder above that is there decides: the rest can be made in it, or not. */
async function whyNotWritable(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    return dirname(path) === path ? 'it cannot be made' : whyNotWritable(dirname(path));
  if (!found.isDirectory()) return `${path} is no folder`;
  return access(path, constants.W_OK | constants.X_OK).then(
    () => undefined,
    () => `you may not write in ${path}`,
  );
}

/** A question to an index that was never made would be answered with "nothing found", which is not the trouble. */
export async function checkIndexed({ RAG_WORKING_DIR: folder }: Settings): Promise<void> {
  if (await stat(join(folder, 'index.json')).catch(() => undefined)) return;
  throw new RagError(
    'no-input',
    `Cannot answer: there is no index in ${folder}, an ingested corpus is wanted`,
    {
      hint: 'node dist/supervisor.js ingest --here PATH   # without an Ollama: RAG_ENGINE=embedded keeps the index',
    },
  );
}

/**
 * A trial would look into an empty index, and find nothing in it.
 * @throws no-input when there is no index to ask either; preflight naming what would make the question's vector
 */
export async function refuseToAsk(settings: Settings): Promise<never> {
  await checkIndexed(settings);
  const { RAG_WORKING_DIR: folder } = settings;
  const encoder = await readRecord(folder);
  const isEmbedded = encoder?.model === embeddedModels.embed;
  throw new RagError(
    'preflight',
    `Cannot ask the index in ${folder}: ${encoder?.model ?? 'an encoder'} made it, and no Ollama is here to make a vector of the question`,
    {
      hint: isEmbedded
        ? 'export RAG_ENGINE=embedded   # the embedded engine made this index'
        : 'export OLLAMA_BIN=/path/to/ollama   # or OLLAMA_HOST=published, where a job serves',
    },
  );
}
