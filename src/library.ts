/** The documents of a run as others see, send, remove and ask to ingest them. Types only. */
import type { IngestProgress, IngestReport, IngestRequest } from './work.ts';

/** `pending`: it was uploaded, and its turn comes. */
export type DocumentState = 'pending' | 'processing' | 'processed' | 'failed' | 'needs_ocr';

/** A document of the index, or one that was uploaded for it (SPEC 13). */
export interface ListedDocument {
  readonly id: string;
  readonly title: string;
  readonly state: DocumentState;
  /** Why it failed. An older version of it may be found all the same: then it has chunks. */
  readonly reason: string | null;
  readonly chunks: number;
  /** ISO 8601. */
  readonly updated_at: string;
  /** What it was uploaded as: a content that was sent under two names is one document. */
  readonly names?: readonly string[];
  /** Of an uploaded corpus, whose rows are documents of their own. */
  readonly rows?: number;
}

export interface DocumentsRequest {
  /** Behind this id; ids are in the order of their code units. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly state?: DocumentState | undefined;
}

export interface DocumentsPage {
  readonly documents: readonly ListedDocument[];
  /** Where the next page begins; null: there is none. */
  readonly next: string | null;
}

/** Documents that are to be taken out of the index. */
export interface RemoveRequest {
  /** Ids, and of a corpus the id of its file. */
  readonly ids?: readonly string[];
  /** As `index remove` takes them: keys, globs of keys, and `file:` with an absolute path. */
  readonly names?: readonly string[];
  /** Only say which. */
  readonly dryRun?: boolean;
}

/** Bytes that were sent. */
export interface Content {
  /** sha256, hex. */
  readonly hash: string;
  readonly bytes: number;
}

export interface ContentOptions {
  readonly maxBytes: number;
  /** The hash that they must have. */
  readonly expected?: string | undefined;
  /** How many they are, where that is known before. */
  readonly length?: number | undefined;
}

/** A content that is to be a document. */
export interface NamedContent extends Content {
  readonly name: string;
  readonly title?: string | undefined;
}

/** What was uploaded, as its sender is told. */
export interface UploadedDocument extends Content {
  readonly id: string;
  readonly name: string;
  readonly state: DocumentState;
}

/** The documents of the index, and those that come over the endpoint. */
export interface Library {
  documents(request: DocumentsRequest): Promise<DocumentsPage>;
  document(id: string): Promise<ListedDocument | undefined>;
  /** @returns the ids of what was removed, or would be */
  remove(request: RemoveRequest): Promise<readonly string[]>;
  /** Of these contents those that have to be sent. */
  missing(hashes: readonly string[]): Promise<readonly string[]>;
  /** On disk and synced when it resolves. */
  keep(bytes: AsyncIterable<Uint8Array>, options: ContentOptions): Promise<Content>;
  /** Contents become documents, on disk and synced when it resolves; their ingest begins at the next opportunity. */
  upload(files: readonly NamedContent[]): Promise<readonly UploadedDocument[]>;
}

/** What a client wants ingested: paths that this process sees too, or contents that it has sent. */
export interface IngestOrder {
  /** Chosen by the client: the same one again is the same order, however often the connection breaks. */
  readonly id: string;
  readonly paths?: Pick<IngestRequest, 'inputs' | 'from' | 'rehash' | 'prune'>;
  readonly files?: readonly NamedContent[];
}

/** What became of an order so far. */
export type OrderState =
  /** Another ingest goes on. */
  | { readonly state: 'waiting' }
  | { readonly state: 'running'; readonly progress: IngestProgress | null }
  | { readonly state: 'done'; readonly report: IngestReport }
  | {
      readonly state: 'failed';
      readonly error: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
    };

export interface OrderView {
  readonly id: string;
  current(): OrderState;
  /** For who looks at it again and again: the end of the run waits until he has seen the last state. */
  listen(): Disposable;
  /** What is embedded is committed, then it is done. */
  cancel(): void;
}

export interface IngestOrders {
  /** @throws no-input for contents that were not sent; usage for a name that is none */
  place(order: IngestOrder): Promise<OrderView>;
  find(id: string): OrderView | undefined;
}
