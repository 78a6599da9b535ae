/** How far this run is with what was uploaded. After a restart all of it waits, until it was looked at once. */
import type { Upload } from '../../ingest/uploads/uploads.ts';
import type { IngestReport } from '../../work.ts';

export type Progress = 'waiting' | 'under way' | 'done';

export interface UploadProgress {
  of(upload: Upload): Progress;
  /** Forgets what is not there any more: if it comes back, it waits again. */
  keepOnly(current: ReadonlyMap<string, Upload>): void;
  /** An ingest of these. Whatever it made of each, it has been through them when it is complete. */
  during(sent: readonly Upload[], work: () => Promise<IngestReport>): Promise<IngestReport>;
}

/** A name that was taken away and given again is of a later time: the index has lost it in between. */
const stateOf = ({ hash, at }: Upload): string => `${hash} ${at}`;

export function makeUploadProgress(): UploadProgress {
  /** By key what it was when an ingest had been through it. */
  const done = new Map<string, string>();
  /** By key what it was when the ingest began. */
  const underWay = new Map<string, string>();
  return {
    of: (upload) => {
      const state = stateOf(upload);
      if (underWay.get(upload.key) === state) return 'under way';
      return done.get(upload.key) === state ? 'done' : 'waiting';
    },
    keepOnly: (current) => {
      for (const key of done.keys()) if (!current.has(key)) done.delete(key);
    },
    during: async (sent, work) => {
      for (const upload of sent) underWay.set(upload.key, stateOf(upload));
      try {
        const report = await work();
        if (report.complete) for (const upload of sent) done.set(upload.key, stateOf(upload));
        return report;
      } finally {
        for (const { key } of sent) underWay.delete(key);
      }
    },
  };
}
