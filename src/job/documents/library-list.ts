/** The list of documents: those of the index, and uploads that are not in it yet. */
import type { Upload, Uploads } from '../../ingest/uploads/uploads.ts';
import type { Store, StoredEntry } from '../../store/types.ts';
import type { Progress } from './upload-progress.ts';
import type {
  DocumentsPage,
  DocumentsRequest,
  DocumentState,
  Library,
  ListedDocument,
} from '../../library.ts';

export interface ListParts {
  readonly uploads: Pick<Uploads, 'read'>;
  readonly store: Pick<Store, 'documents' | 'corpusState'>;
  readonly progressOf: (upload: Upload) => Progress;
}

export function makeList({ uploads, store, progressOf }: ListParts): Pick<Library, 'documents' | 'document'> {
  const shownOf = async (some: readonly Upload[]): Promise<ListedDocument[]> => {
    const stored =
      some.length === 0 ? [] : await store.documents({ limit: some.length, keys: some.map(keyOf) });
    const entries = new Map(stored.map((entry) => [entry.document, entry]));
    return some.map((upload) => listedUpload(upload, progressOf(upload), entries.get(upload.key)));
  };
  /** Of the uploads in that order the first so many that are in the state. */
  const first = async (
    some: readonly Upload[],
    { limit, state }: Pick<DocumentsRequest, 'limit' | 'state'>,
  ): Promise<ListedDocument[]> => {
    const found: ListedDocument[] = [];
    for (let at = 0; at < some.length && found.length < limit; at += asked)
      found.push(...(await shownOf(some.slice(at, at + asked))).filter((each) => isIn(state, each)));
    return found;
  };
  return {
    documents: async ({ after = '', limit, state }) => {
      const sent = await uploads.read();
      const states = storedStates(state);
      const stored = states?.length === 0 ? [] : await store.documents({ after, limit, states });
      // Behind its last one the index may have more, before what was uploaded.
      const end = stored.length < limit ? undefined : stored.at(-1)?.document;
      const inRange = [...sent.values()]
        .filter(({ key }) => key > after && (end === undefined || key <= end))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1));
      const uploaded = await first(inRange, { limit: limit + 1, state });
      const others = stored.filter(({ document }) => !sent.has(document)).map(listed);
      return pageOf([...uploaded, ...others], limit, end);
    },
    document: async (id) => {
      const [entry] = await store.documents({ limit: 1, keys: [id] });
      const upload = (await uploads.read()).get(id);
      if (upload === undefined) return entry && listed(entry);
      const shown = listedUpload(upload, progressOf(upload), entry);
      const { rows } = entry === undefined ? await store.corpusState(id) : { rows: 0 };
      return rows === 0 ? shown : { ...shown, rows };
    },
  };
}

/** Keys in one question to the index. */
const asked = 1000;

const keyOf = ({ key }: Upload): string => key;

const isIn = (state: DocumentState | undefined, document: ListedDocument): boolean =>
  state === undefined || document.state === state;

/** What of the index is asked for. An upload whose turn comes hides what the index still has of it. */
const storedStates = (state: DocumentState | undefined): readonly StoredEntry['state'][] | undefined =>
  state === undefined ? undefined : state === 'pending' || state === 'processing' ? [] : [state];

/** @param end what lies behind it was not looked at */
function pageOf(found: readonly ListedDocument[], limit: number, end: string | undefined): DocumentsPage {
  const sorted = found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const documents = sorted.slice(0, limit);
  return { documents, next: (sorted.length > limit ? documents.at(-1)?.id : end) ?? null };
}

/** @param entry what the index has under its key */
function listedUpload(upload: Upload, progress: Progress, entry: StoredEntry | undefined): ListedDocument {
  const isDone = progress === 'done' || (entry?.state === 'processed' && entry.hash === upload.hash);
  const { key: id, names, name, title, hash, at } = upload;
  const called = (entry?.hash === hash ? entry.title : '') || (title ?? name.split('/').at(-1) ?? name);
  if (entry !== undefined && isDone) return { ...listed(entry), title: called, names };
  return {
    id,
    title: called,
    // A corpus has rows, and nothing under its own key.
    state: isDone ? 'processed' : progress === 'under way' ? 'processing' : 'pending',
    reason: null,
    chunks: entry?.chunks ?? 0,
    updated_at: new Date(at).toISOString(),
    names,
  };
}

const listed = ({ document: id, title, state, reason, chunks, version }: StoredEntry): ListedDocument => ({
  id,
  title: title || id,
  state,
  reason,
  chunks,
  updated_at: new Date(version).toISOString(),
});
