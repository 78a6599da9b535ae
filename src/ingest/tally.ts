/** Counts what an ingest did, for its report and its progress. */
import type { Failure, IngestProgress, IngestReport, IngestRequest } from '../work.ts';
import type { Outcomes } from './writer.ts';

/** A run over millions of broken rows must not hold them all: the index has the whole list. */
const failuresKept = 10_000;

/** For a speed that is only to be looked at; of prose. */
const charactersPerToken = 4;

export interface Tally {
  parsed(chunks: number): void;
  unchanged(documents: number): void;
  failed(failure: Failure): void;
  committed(documents: number): void;
  /** @param sent how many of the rows' texts went to the model: the others had their vectors */
  embedded(rows: readonly { readonly text: string }[], sent: number): void;
  removed(documents: number): void;
  total(documents: number | null): void;
  report(): Pick<IngestReport, 'documents' | 'removed' | 'chunks' | 'embedded' | 'failures'>;
}

export function makeTally(
  onProgress: ((progress: IngestProgress) => void) | undefined,
  { onFailure, onChunks }: Pick<IngestRequest, 'onFailure' | 'onChunks'> = {},
): Tally {
  const documents = { processed: 0, unchanged: 0, failed: 0, needs_ocr: 0 };
  const failures: Failure[] = [];
  let removed = 0;
  let chunks = 0;
  let embedded = 0;
  let ready = 0;
  let characters = 0;
  let total: number | null = null;
  const tell = (): void => {
    const done = documents.processed + documents.unchanged + documents.failed + documents.needs_ocr;
    onProgress?.({
      documentsDone: done,
      // A file may turn out to be a corpus of many rows.
      documentsTotal: total === null || done > total ? null : total,
      chunks,
      embedded: ready,
      tokens: Math.round(characters / charactersPerToken),
      failed: documents.failed + documents.needs_ocr,
    });
  };

  return {
    parsed: (count) => {
      chunks += count;
      tell();
    },
    unchanged: (count) => {
      documents.unchanged += count;
      tell();
    },
    failed: (failure) => {
      documents[failure.state] += 1;
      const told = { document: failure.document, state: failure.state, reason: failure.reason };
      if (failures.length < failuresKept) failures.push(told);
      onFailure?.(told);
      tell();
    },
    committed: (count) => {
      documents.processed += count;
      tell();
    },
    embedded: (rows, sent) => {
      embedded += sent;
      ready += rows.length;
      const more = rows.reduce((sum, { text }) => sum + text.length, 0);
      characters += more;
      onChunks?.(rows.length, Math.round(more / charactersPerToken));
    },
    removed: (count) => {
      removed += count;
    },
    total: (count) => {
      total = count;
      tell();
    },
    report: () => ({ documents: { ...documents }, removed, chunks, embedded, failures }),
  };
}

/** Where nothing but the counts hangs on what becomes of the documents. */
export const counting = (tally: Tally): Outcomes => ({
  committed: (documents) => tally.committed(documents.length),
  lost: (failure) => tally.failed(failure),
});
