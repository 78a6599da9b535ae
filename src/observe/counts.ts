import type { IngestReport } from '../work.ts';

/** What became of the documents, in one line. */
export const countsText = ({ documents, removed }: Pick<IngestReport, 'documents' | 'removed'>): string => {
  const { processed, unchanged, failed, needs_ocr: scans } = documents;
  return `${processed} processed, ${unchanged} unchanged, ${failed} failed, ${scans} without text${removed > 0 ? `, ${removed} removed` : ''}`;
};
