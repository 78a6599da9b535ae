/**
 * What the program can be asked to do, whoever does it: `job/work` does it in this process, a client will do
 * it through a running supervisor. Types only.
 */

/** A piece of a document, as it is stored and shown. Offsets are Unicode code points of the document's text. */
export interface Passage {
  /** Identity of the chunk: sha256 of document, content, chunker and ordinal, 32 hex digits. */
  readonly chunk: string;
  /** The document's key, unique in the index: path under its input root; of a row `<corpus>#<row id>`. */
  readonly document: string;
  /** What `/retrieve` shows as `document.id`: of a file its key, of a row the row's id, as qrels name it. */
  readonly id: string;
  readonly title: string;
  /** Absolute path of the file it came from; of an upload its name. */
  readonly file: string;
  /** First page, counted from 1 as a reader prints it; null where there are no pages. */
  readonly page: number | null;
  readonly pageEnd: number | null;
  readonly start: number;
  readonly end: number;
  readonly headings: readonly string[];
  readonly text: string;
}

/** Which stage gave a hit its score; scores of different stages are not comparable. */
export type Stage = 'dense' | 'lexical' | 'fused' | 'reranked';

export interface Hit extends Passage {
  /** Higher is better. */
  readonly score: number;
  readonly stage: Stage;
}

/** Which passages may be found; all conditions must hold. */
export type Filter = readonly Condition[];

/** Any of its values will do. In globs `*` and `?` stay within a folder, `**` does not. */
export type Condition =
  | { readonly field: 'document' | 'corpus' | 'file' | 'title'; readonly globs: readonly string[] }
  /** From and to, both included; a passage may run over several pages. */
  | { readonly field: 'page'; readonly ranges: readonly (readonly [number, number])[] }
  /** `name=value` each, as a document is labelled. */
  | { readonly field: 'label'; readonly labels: readonly string[] };

export interface RetrieveRequest {
  readonly queries: readonly string[];
  /** Hits per query. */
  readonly topk: number;
  /** Rerank the fused candidates; off by default, as in Search-R1's contract. */
  readonly rerank?: boolean;
  /** How many fused candidates the reranker sees; all of them when absent. */
  readonly candidates?: number;
  readonly filter?: Filter | undefined;
  readonly signal: AbortSignal;
}

export type Support = 'quoted' | 'overlapping' | 'unsupported' | 'uncited';

export interface Sentence {
  readonly text: string;
  /** The numbers `[n]` that the sentence cites and that exist. */
  readonly cites: readonly number[];
  readonly support: Support;
}

export interface Citation {
  /** The number in the answer, counted from 1. */
  readonly n: number;
  readonly document: string;
  readonly title: string;
  readonly file: string;
  readonly page: number | null;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly text: string;
}

/** The record of one answered question (SPEC 7). */
export interface AnswerRecord {
  readonly query: string;
  readonly answer: string;
  readonly citations: readonly Citation[];
  readonly sentences: readonly Sentence[];
  /** How many numbers the answer cites that no passage has. */
  readonly citations_dropped: number;
  /** How many passages stood in the prompt. */
  readonly retrieved: number;
  readonly reranked: boolean;
  readonly model: string;
  readonly timings_ms: Readonly<Record<'retrieve' | 'rerank' | 'generate' | 'total', number>>;
}

export interface QueryRequest {
  /** What is searched for. */
  readonly query: string;
  /** What the model is asked, where that is more: the options of a multiple choice are not searched for. */
  readonly asked?: string;
  readonly topk: number;
  readonly filter?: Filter | undefined;
  /** Called once with the passages that stand in the prompt, in the order of their numbers, before the answer. */
  readonly onPassages?: (passages: readonly Hit[]) => void;
  /** Called with each piece of the answer as it is generated. */
  readonly onText?: (piece: string) => void;
  readonly signal: AbortSignal;
}

/** A document that was set aside. `needs_ocr`: it has pages, but no text on them. */
export interface Failure {
  /** Its key; of a row whose id is not known `<corpus>#@<byte offset>`; of an unreadable input what was given. */
  readonly document: string;
  readonly state: 'failed' | 'needs_ocr';
  readonly reason: string;
}

/** What one ingest did (SPEC 13). */
export interface IngestReport {
  readonly documents: {
    readonly processed: number;
    readonly unchanged: number;
    readonly failed: number;
    readonly needs_ocr: number;
  };
  /** Documents whose file is gone, complete or failed; 0 unless pruning was asked for. */
  readonly removed: number;
  readonly chunks: number;
  /** Texts sent to the embedder. */
  readonly embedded: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
  /** False when it was stopped before the last document. */
  readonly complete: boolean;
}

export interface IngestProgress {
  readonly documentsDone: number;
  /** Null while the listing is not complete, and where a corpus is in it: its rows are counted by parsing. */
  readonly documentsTotal: number | null;
  readonly chunks: number;
  /** Chunks that have their vectors, and an estimate of the tokens in them. */
  readonly embedded: number;
  readonly tokens: number;
  readonly failed: number;
}

/** What earlier looks at the same inputs have met. */
export interface SeenFiles {
  readonly isFirst: boolean;
  /** @param state what the file is like; a failed one's reason */
  isDue(key: string, state: string): boolean;
}

/** A file that lies under another name than its own, as it was uploaded. */
export interface UploadedFile {
  /** Of its document. */
  readonly key: string;
  readonly path: string;
  /** Its own name: a path with `/`, never an absolute one. */
  readonly name: string;
  /** What the document is called; absent: what it says itself. */
  readonly title?: string;
}

/** What there is to ingest. */
export interface Inputs {
  /** Files, folders, globs and `@list` files, as the user gave them. */
  readonly inputs: readonly string[];
  /** The folder that relative ones are below; absent: the current one. */
  readonly from?: string;
  readonly uploads?: readonly UploadedFile[];
}

export interface IngestRequest extends Inputs {
  /** Read every file, also those whose size and times are what they were. */
  readonly rehash?: boolean;
  /** Remove the documents of the given folders whose file is gone. Never after a run that did not meet every input. */
  readonly prune?: boolean;
  /** Only what it says is due. */
  readonly seen?: SeenFiles;
  /** Beside what the run was started for: none of the tasks that share that does a part of it. */
  readonly beside?: true;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Told of chunks that have got their vectors, with an estimate of the tokens in them. Needs no listing, as progress does. */
  readonly onChunks?: (chunks: number, tokens: number) => void;
  /** Told of each document that is set aside, when it is. */
  readonly onFailure?: (failure: Failure) => void;
  /** Aborting it drains: what is embedded is committed, then the report comes with `complete: false`. */
  readonly signal: AbortSignal;
}

export interface Work {
  ingest(request: IngestRequest): Promise<IngestReport>;
  /** One list of hits per query, in the order of the queries. */
  retrieve(request: RetrieveRequest): Promise<Hit[][]>;
  query(request: QueryRequest): Promise<AnswerRecord>;
}
