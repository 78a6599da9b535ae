import type { IngestReport } from '../work.ts';

/** What became of the documents, in one line. */
export const countsText = ({ documents }: Pick<IngestReport, 'documents'>): string => {
  const { processed, unchanged, failed, needs_ocr: scans } = documents;
  return `${processed} processed, ${unchanged} unchanged, ${failed} failed, ${scans} without text`;
};
