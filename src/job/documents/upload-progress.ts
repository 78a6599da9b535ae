/** How far this run is with what was uploaded. After a restart all of it waits, until it was looked at once. */
import type { Upload } from '../../ingest/uploads/uploads.ts';
import type { IngestReport } from '../../work.ts';

export type Progress = 'waiting' | 'under way' | 'done';

export interface UploadProgress {
  of(upload: Upload): Progress;
  /** An ingest of these. Whatever it made of each, it has been through them when it is complete. */
  during(sent: readonly Upload[], work: () => Promise<IngestReport>): Promise<IngestReport>;
}

export function makeUploadProgress(): UploadProgress {
  /** Content by key. */
  const done = new Map<string, string>();
  const underWay = new Set<string>();
  return {
    of: ({ key, hash }) => (underWay.has(key) ? 'under way' : done.get(key) === hash ? 'done' : 'waiting'),
    during: async (sent, work) => {
      for (const { key } of sent) underWay.add(key);
      try {
        const report = await work();
        if (report.complete) for (const { key, hash } of sent) done.set(key, hash);
        return report;
      } finally {
        for (const { key } of sent) underWay.delete(key);
      }
    },
  };
}
