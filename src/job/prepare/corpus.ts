/** Corpora by the names that MedRAG and FlashRAG give them, in their own folders. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { RagError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';

/** MedRAG's, in lower case. Each is `<data folder>/<name>/chunk/*.jsonl`; its index beside them is not read. */
const sets: Readonly<Record<string, readonly string[]>> = {
  pubmed: ['pubmed'],
  textbooks: ['textbooks'],
  statpearls: ['statpearls'],
  wikipedia: ['wikipedia'],
  medtext: ['textbooks', 'statpearls'],
  medcorp: ['pubmed', 'textbooks', 'statpearls', 'wikipedia'],
};

/**
 * @returns inputs for an ingest; of any other name the file or folder of that name, as FlashRAG's corpora are
 * @throws settings when one of the two is missing
 */
export function corpusInputs({
  RAG_CORPUS,
  RAG_DB_DIR,
}: Pick<Settings, 'RAG_CORPUS' | 'RAG_DB_DIR'>): string[] {
  if (RAG_CORPUS === undefined && RAG_DB_DIR === undefined) return [];
  if (RAG_CORPUS === undefined) throw incomplete('RAG_DB_DIR is set, RAG_CORPUS is wanted too');
  if (RAG_DB_DIR === undefined) throw incomplete('RAG_CORPUS is set, RAG_DB_DIR is wanted too');
  const names = sets[RAG_CORPUS.toLowerCase()];
  return names === undefined
    ? [join(RAG_DB_DIR, RAG_CORPUS)]
    : names.map((name) => join(RAG_DB_DIR, name, 'chunk'));
}

/** @throws no-input when it is not where the two settings say */
export async function checkCorpus(settings: Pick<Settings, 'RAG_CORPUS' | 'RAG_DB_DIR'>): Promise<void> {
  for (const path of corpusInputs(settings)) {
    if (await stat(path).catch(() => undefined)) continue;
    const { RAG_CORPUS, RAG_DB_DIR } = settings;
    throw new RagError(
      'no-input',
      `Cannot find the corpus: RAG_CORPUS=${RAG_CORPUS} and RAG_DB_DIR=${RAG_DB_DIR} lead to ${path}, which is not there`,
      {
        hint: `ls ${RAG_DB_DIR}   # MedRAG's names: PubMed, Textbooks, StatPearls, Wikipedia, MedText, MedCorp`,
      },
    );
  }
}

const incomplete = (what: string): RagError =>
  new RagError('settings', `Cannot find the corpus: ${what}`, {
    hint: 'RAG_CORPUS=MedCorp RAG_DB_DIR=$HOME/MedRAG/corpus',
  });
