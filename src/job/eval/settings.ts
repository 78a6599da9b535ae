/** The settings of an evaluation, as flags over those that the user gave. Pure. */
import { hash } from 'node:crypto';
import { join } from 'node:path';

import type { Loaded } from '../../config/load.ts';
import { entryOf, settingNames, type SettingName, type Settings } from '../../config/settings.ts';
import { makeRetriever } from '../prepare/retriever.ts';
import type { Collection } from '../../query/eval/collection.ts';

/** What is to be ingested. */
interface Corpus {
  readonly corpus: string | undefined;
  readonly sha256: string;
}

/**
 * An index of its own for each corpus and each way of making it: what is there already is only asked.
 *
 * @param corpus undefined: the index in force is used as it stands
 */
export function evaluationFlags(
  { settings, sources }: Loaded,
  collection: Collection,
  corpus: Corpus | undefined,
): Partial<Record<SettingName, string>> {
  const services =
    sources.RAG_SERVICES === 'default' ? { RAG_SERVICES: servicesFor(collection, settings) } : {};
  if (corpus?.corpus === undefined) return { ...services, RAG_WORKER_MODE: 'query' };
  const name = indexName(collection.name, corpus.sha256, settings);
  return {
    ...services,
    RAG_WORKER_MODE: 'ingest',
    RAG_INPUT_FILE: corpus.corpus,
    RAG_WORKING_DIR: join(`${settings.RAG_WORKING_DIR}-eval`, name),
  };
}

function servicesFor({ questions }: Collection, { OLLAMA_GENERATE_MODEL: model }: Settings): string {
  const wantsAnswers = questions.some(({ golden, right }) => golden.length > 0 || right !== undefined);
  return wantsAnswers && model !== 'none' ? 'embed,rerank,generate' : 'embed,rerank';
}

const made = [
  'RAG_ENGINE',
  'OLLAMA_EMBED_MODEL',
  'RAG_EMBED_DIMENSIONS',
  'RAG_VECTOR_TYPE',
  'RAG_CHUNK_TOKENS',
  'RAG_CHUNK_OVERLAP',
] as const satisfies readonly SettingName[];

const indexName = (name: string, corpusDigest: string, settings: Settings): string => {
  // `medcpt` and `rrf2` search the same vectors.
  const { embedder, encoders } = makeRetriever(settings);
  const values = made.map((setting) => settings[setting] ?? null);
  const madeOf = JSON.stringify([corpusDigest, embedder, encoders, ...values]);
  return `${name.replace(/[^\w.-]/gu, '_')}-${hash('sha256', madeOf).slice(0, 8)}`;
};

/** What can change a figure, for the manifest. */
export function settingsInForce(settings: Settings): Readonly<Record<string, unknown>> {
  const { rrfK } = makeRetriever(settings);
  const inForce = { ...settings, RAG_RRF_K: settings.RAG_RRF_K ?? rrfK };
  const names = settingNames.filter(
    (name) =>
      ['encoder', 'retrieval', 'reranker'].includes(entryOf(name).group) ||
      ['RAG_ENGINE', 'RAG_SERVICES', 'OLLAMA_EMBED_MODEL', 'OLLAMA_GENERATE_MODEL'].includes(name),
  );
  return Object.fromEntries(names.map((name) => [name, inForce[name] ?? null]));
}
