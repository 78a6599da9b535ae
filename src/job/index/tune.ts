import { codeOf } from '../../errors.ts';
import { vectorIndexText } from '../../observe/vector-index.ts';
import type { IngestRoom } from './ingest.ts';

/**
 * After a consolidation that made an index of the vectors: how it must be searched is measured with headings and
 * sentences of the corpus, embedded as questions. What fails here costs time of questions and not their answers, so
 * it is only told.
 */
export async function tuneVectors(
  signal: AbortSignal,
  { store, embed, settings, log }: Pick<IngestRoom, 'store' | 'embed' | 'settings' | 'log'>,
): Promise<void> {
  try {
    const texts = await store.samples();
    const questions =
      embed === undefined || texts.length === 0 ? [] : await embed({ texts, kind: 'query', signal });
    const tuning = await store.tune(questions, settings.RAG_CANDIDATES, signal);
    if (tuning !== null) log('info', `vectors: ${vectorIndexText(tuning)}`);
  } catch (error) {
    if (codeOf(error) !== 'aborted' && !signal.aborted)
      log('warn', `the index of the vectors was not tuned: ${String(error)}`);
  }
}
