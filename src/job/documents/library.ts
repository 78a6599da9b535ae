/** The documents of a run as others see and change them: what the index has, and what they send. */
import { messageOf } from '../../errors.ts';
import { fileOf } from '../../ingest/origins.ts';
import type { Upload, Uploads } from '../../ingest/uploads/uploads.ts';
import type { Library, NamedContent, UploadedDocument } from '../../library.ts';
import type { Store } from '../../store/types.ts';
import { never } from '../../supervise/pause.ts';
import type { IngestReport, IngestRequest, Work } from '../../work.ts';
import { nothingDone } from '../index/ingest.ts';
import { makeList } from './library-list.ts';
import type { Removal } from './removal.ts';
import { idsOf, removeDocuments } from './remove-documents.ts';
import { takeUploads } from './take-uploads.ts';
import type { Turns } from './turns.ts';
import { makeUploadProgress, type UploadProgress } from './upload-progress.ts';

export interface LocalLibrary extends Library {
  /** One at a time. What was uploaded is a part of what a run is given. */
  readonly ingest: Work['ingest'];
  /** Contents become documents, on disk and synced, for one who ingests them himself. */
  name(files: readonly NamedContent[]): Promise<readonly Upload[]>;
  /** How many uploads no ingest of this run has been through. */
  waiting(): number;
  /** Ingests what comes, until the signal. @param lookEveryMs for what other supervisors were sent; 0: for nothing */
  serve(lookEveryMs: number, signal: AbortSignal): Promise<void>;
}

export interface LibraryParts {
  readonly uploads: Uploads;
  readonly store: Pick<Store, 'documents' | 'selectNamed' | 'corpusState'>;
  readonly ingest: Work['ingest'];
  readonly remove: Removal;
  readonly turns: Turns;
  readonly log: (level: 'info' | 'warn', line: string) => void;
}

export function makeLibrary(parts: LibraryParts): LocalLibrary {
  const { uploads, store, turns, log } = parts;
  const progress = makeUploadProgress();
  let sent = Promise.withResolvers<void>();
  const wake = (): void => {
    sent.resolve();
    sent = Promise.withResolvers();
  };
  /** Of keys that are those of no upload what the index has all the same: a run that died may have left it there. */
  const removeKeys = async (keys: readonly string[]): Promise<void> => {
    const found = await idsOf(store, keys);
    if (found.length === 0) return;
    // Meanwhile one of them may have been sent anew, here or to another supervisor.
    const current = await uploads.read();
    if (!uploads.isWhole()) return;
    const stale = found.filter((id) => !current.has(fileOf(id)));
    await parts.remove(stale, never);
  };
  const removeLeft = async (some: readonly Upload[]): Promise<void> => {
    if (some.length === 0) return;
    const current = await uploads.read();
    await removeKeys(some.map(({ key }) => key).filter((key) => !current.has(key)));
  };
  const ingest = makeIngestWithUploads({ ...parts, removeLeft }, progress);
  const name = async (files: readonly NamedContent[]): Promise<readonly Upload[]> => {
    const { uploads: named, gone } = await uploads.name(files);
    await removeKeys([...gone, ...named.flatMap(({ further }) => further)]);
    return named;
  };
  const waiting = (): Upload[] =>
    [...uploads.current().values()].filter((upload) => progress.of(upload) === 'waiting');
  const take = async (signal: AbortSignal): Promise<IngestReport | undefined> => {
    const current = await uploads.read();
    if (uploads.isWhole()) progress.keepOnly(current);
    const due = waiting();
    return due.length === 0 ? undefined : ingest({ inputs: [], uploads: due, beside: true, signal });
  };
  const tidy = async (): Promise<void> => {
    await uploads.sweep();
    await removeKeys([...uploads.current().values()].flatMap(({ further }) => further));
  };
  return {
    ingest: (request) => turns.take(request.signal, () => ingest(request)),
    ...makeList({ uploads, store, progressOf: (upload) => progress.of(upload) }),
    remove: (request) => removeDocuments(parts, request),
    missing: (hashes) => uploads.missing(hashes),
    keep: (bytes, options) => uploads.keep(bytes, options),
    upload: async (files) => {
      const named = await name(files);
      wake();
      return named.map((upload, at) => toldOf(upload, files[at], progress));
    },
    name,
    waiting: () => waiting().length,
    serve: async (lookEveryMs, signal) => {
      void tidy().catch(() => undefined);
      const inTurn = (stop: AbortSignal) => turns.take(stop, () => take(stop));
      await takeUploads({ take: inTurn, untilSent: () => sent.promise, lookEveryMs, log }, signal);
    },
  };
}

interface IngestParts extends Pick<LibraryParts, 'uploads' | 'ingest' | 'log'> {
  /** Of these what another supervisor of the index has removed while they were being ingested here. */
  readonly removeLeft: (sent: readonly Upload[]) => Promise<void>;
}

/** Which uploads an ingest is of: those that it names, or with what a run is given all that there are. */
const makeIngestWithUploads =
  ({ uploads, ingest, removeLeft, log }: IngestParts, progress: UploadProgress): Work['ingest'] =>
  async (request) => {
    const sent = await uploadsOf(uploads, request);
    if (request.inputs.length === 0 && sent.length === 0) return nothingDone;
    const report = await progress.during(sent, () => ingest({ ...request, uploads: sent }));
    // What is ingested is ingested, whatever becomes of the look behind it.
    await removeLeft(sent).catch((error: unknown) =>
      log('warn', `uploads that were removed meanwhile may still be found: ${messageOf(error)}`),
    );
    return report;
  };

async function uploadsOf(uploads: Uploads, { seen, uploads: wanted }: IngestRequest): Promise<Upload[]> {
  // A later look at the inputs is none at what was uploaded.
  if (wanted === undefined) return seen?.isFirst === false ? [] : [...(await uploads.read()).values()];
  if (wanted.length === 0) return [];
  const current = await uploads.read();
  // What was removed while it waited is not ingested.
  return wanted.flatMap(({ key }) => current.get(key) ?? []);
}

const told = { waiting: 'pending', 'under way': 'processing', done: 'processed' } as const;

const toldOf = (
  upload: Upload,
  file: NamedContent | undefined,
  progress: UploadProgress,
): UploadedDocument => ({
  id: upload.key,
  name: file?.name ?? upload.name,
  hash: upload.hash,
  bytes: upload.bytes,
  state: told[progress.of(upload)],
});
