import type { Filter, Passage } from '../work.ts';
import type { CorpusState } from './digest.ts';
import type { Exported, ExportedPart } from './export/exported.ts';
import type { Listing, Names, StoredDocument } from './select.ts';
import type { Tag } from './versions/tagged.ts';
import type { Tuning } from './vector-index/tuning.ts';
import type { Verification } from './look/verify.ts';

/** How vectors are compared. `cosine`: all are of length 1. Else their length means something and is kept. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** Says by what the vectors of an index were made. Another encoder or chunker may not write into it. */
export interface EncoderRecord {
  /** `none` where there are no vectors. */
  readonly model: string;
  /** Digest of the weights, as the model server tells it. */
  readonly digest: string;
  /** 0: the index has no vectors, words alone are searched. */
  readonly dimensions: number;
  readonly type: 'f16' | 'f32';
  readonly metric: Metric;
  /** What stood before each passage, and before queries when the index was made; absent where the encoder keeps that to itself. */
  readonly prefixes?: { readonly query: string; readonly passage: string };
  /** Tokens of a passage that the encoder has read; absent where a longer one was refused. */
  readonly maxLength?: number;
  /** Version and parameters of the chunker, e.g. `structure-1:512/64`. */
  readonly chunker: string;
}

/** A chunk on its way into the store. */
export interface ChunkRow extends Passage {
  /** sha256 of the document's bytes, hex. */
  readonly hash: string;
  /** Position in its document, from 0. The row with ordinal 0 is committed last: it says "document done". */
  readonly ordinal: number;
  /** Number of chunks of the document. */
  readonly of: number;
  /** What BM25 sees of title and text, in order, separated by one space (see words/analyse). */
  readonly words: string;
  /** How many words. */
  readonly length: number;
  /** ISO 639-1; '' where it is not known. */
  readonly language: string;
  /** What it can be filtered by, `name=value` each. */
  readonly labels: readonly string[];
  /** Length: the encoder's dimensions. As it is compared: L2-normalised where that is by cosine. */
  readonly vector: Float32Array;
}

/** A document with one content. */
export type Version = Pick<ChunkRow, 'document' | 'hash'>;

/** A document that was set aside, as a row. */
export interface FailureRow {
  readonly document: string;
  readonly hash: string;
  readonly file: string;
  readonly state: 'failed' | 'needs_ocr';
  readonly reason: string;
}

/** What the table knows of a document. */
export interface Known {
  /** Hash of the newest complete version; null when there is none. */
  readonly done: string | null;
  /** Chunk ids that a killed run committed of versions that are not complete. They need no new embedding. */
  readonly committed: readonly string[];
}

/** A passage's place in a ranking. Its text is asked for when it is among the best. */
export interface Ranked {
  readonly chunk: string;
  /** Higher is better. */
  readonly score: number;
  /** The same for equal texts. */
  readonly digest: number;
}

/** How the vectors of main are searched, and what was measured of that. */
export interface VectorIndexFigures extends Tuning {
  /** Rows behind the index, which are compared one by one. */
  readonly unindexed: number;
}

export interface Inspection {
  readonly documents: { readonly processed: number; readonly failed: number; readonly needs_ocr: number };
  readonly chunks: number;
  readonly embedding: EncoderRecord | null;
  readonly shards: number;
  readonly bytes: number;
  /** Null where every vector is compared. */
  readonly vector_index: VectorIndexFigures | null;
}

/** Which documents a list shows. */
export interface DocumentsQuery {
  /** Only those behind this key. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly states?: readonly StoredEntry['state'][] | undefined;
  /** Only those of these keys. */
  readonly keys?: readonly string[] | undefined;
}

export interface StoredEntry extends Pick<FailureRow, 'document' | 'hash'> {
  /** Of what is newest of it; '' where that failed. */
  readonly title: string;
  readonly state: 'processed' | FailureRow['state'];
  readonly reason: string | null;
  /** Of the version that is shown. */
  readonly chunks: number;
  /** Milliseconds since 1970. */
  readonly version: number;
}

/** The index, as the rest of the program sees it. All of it happens in the store host, a process of its own. */
export interface Store {
  /**
   * Opens this run's own shard for writing, making the index when there is none.
   * @throws index-mismatch when the index was made by another encoder or chunker
   */
  beginWriting(encoder: EncoderRecord, writer: string): Promise<void>;
  known(documents: readonly string[]): Promise<ReadonlyMap<string, Known>>;
  /** Which rows of a corpus are complete. @param corpus key of its file */
  corpusState(corpus: string): Promise<CorpusState>;
  /** Vectors of texts that are in the index already. @param hashes sha256 of each text, hex. @returns those found */
  vectorsOf(hashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  /**
   * Resolves when the rows are on disk and synced. Appending a row twice stores it once.
   *
   * @returns the versions whose first chunk was left out: of their others, which were `known` to be committed, some are
   *   gone, because another run has replaced or removed the document. @throws disk-full
   */
  append(rows: readonly ChunkRow[]): Promise<readonly Version[]>;
  recordFailures(rows: readonly FailureRow[]): Promise<void>;
  /** One page of the documents, complete and failed ones, by key in the order of its code units. */
  documents(query: DocumentsQuery): Promise<readonly StoredEntry[]>;
  /** Complete documents and failed ones, by name. */
  selectNamed(names: Names): Promise<readonly StoredDocument[]>;
  /** Documents, complete or failed, of files below the roots of a listing that were not met by it. */
  selectUnmet(listing: Listing): Promise<readonly StoredDocument[]>;
  /** Resolves when the removal is on disk and synced. What is no longer there may be removed again. @throws disk-full */
  remove(documents: readonly string[]): Promise<void>;
  /**
   * Merges every shard into `main`, drops replaced versions and builds the text index. Idempotent.
   * @param signal ends the wait with `aborted`; the host may go on, which harms nothing
   */
  consolidate(signal?: AbortSignal): Promise<void>;
  /** Leaves what this run has written to whoever consolidates next, while this run lives too. */
  release(): Promise<void>;
  /** By the metric of the encoder over all complete documents, best first (of l2: minus the squared distance); one list per vector. */
  searchDense(vectors: readonly Float32Array[], k: number, filter?: Filter): Promise<Ranked[][]>;
  /** BM25 over all complete documents, best first; one list per text. */
  searchText(texts: readonly string[], k: number, filter?: Filter): Promise<Ranked[][]>;
  /**
   * Texts that a tuning wants embedded as questions: headings and sentences of passages. None where the index need not
   * be tuned, or enough questions were asked lately.
   */
  samples(): Promise<string[]>;
  /**
   * Finds out how the index of the vectors must be searched to find what an exact search finds, and keeps that with
   * the index. Does nothing where it is known. Reads all vectors; questions are answered meanwhile.
   *
   * @param questions embedded samples; without any, vectors of passages are asked for, a little moved
   * @param depth how many of the best are looked at
   * @param signal ends the wait with `aborted`
   * @returns what was found; null when there was nothing to do
   */
  tune(questions: readonly Float32Array[], depth: number, signal?: AbortSignal): Promise<Tuning | null>;
  /** Null where every vector is compared. */
  vectorIndex(): Promise<VectorIndexFigures | null>;
  /** Of these chunks, in any order. One that was removed or replaced since it was found is missing. */
  passages(chunks: readonly string[]): Promise<Passage[]>;
  /** Differs whenever searches may find something else than before; means nothing beside that. */
  version(): Promise<string>;
  inspect(): Promise<Inspection>;
  /** Reads all of it. Two rows of one document may differ while another process writes: then ask again. */
  verify(): Promise<Verification>;
  /** What the index was made by; null while there is none. */
  encoder(): Promise<EncoderRecord | null>;
  /** How many shards other runs are writing at the moment. */
  writers(): Promise<number>;
  /** Writes what is shown into a folder (see store/export/export). @throws no-input, usage, disk-full */
  exportTo(folder: string, what: ExportedPart): Promise<Exported>;
  /** Names what main holds, after a consolidation (see store/versions/tags). @throws usage, no-input, stopped */
  tag(name: string): Promise<Tag>;
  tags(): Promise<readonly Tag[]>;
  /** @throws preflight when there is no such tag */
  untag(name: string): Promise<void>;
}
