/** How far the ingest is, and what of retrieval was remembered. */
import { type Asked, only, type Sources } from './asked.ts';

export function addIngest(
  { gauge, counter }: Asked,
  { status, samples, ingested, retrievals }: Sources,
): void {
  counter(
    'rag_ingest_documents_total',
    'Documents that are through: stored, unchanged or set aside.',
    [],
    only(() => samples.counts().documents),
  );
  counter(
    'rag_ingest_set_aside_total',
    'Documents that were set aside because they could not be read.',
    [],
    only(() => samples.counts().failed),
  );
  counter(
    'rag_ingest_chunks_total',
    'Chunks that have their vectors.',
    [],
    only(() => samples.counts().chunks),
  );
  counter(
    'rag_ingest_tokens_total',
    'Tokens of these chunks, an estimate.',
    [],
    only(() => samples.counts().tokens),
  );
  gauge(
    'rag_ingest_documents_expected',
    'Documents of the last ingest; left out while its listing is not complete.',
    [],
    only(() => ingested()?.documentsTotal ?? null),
  );
  gauge(
    'rag_ingest_remaining_seconds',
    'Until the ingest is done, by its mean speed so far; left out while nobody knows.',
    [],
    only(() => (status().phase === 'ingest' ? status().progress.eta_s : null)),
  );
  counter(
    'rag_retrieval_cache_hits_total',
    'Queries whose passages were remembered.',
    [],
    only(() => retrievals().cached),
  );
  counter(
    'rag_retrieval_cache_misses_total',
    'Queries that had to be searched.',
    [],
    only(() => retrievals().computed),
  );
}
