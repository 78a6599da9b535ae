import type { AnalysedText } from './words.ts';

/** A stretch of a document's text. Offsets are code points of the document's whole text; `end` is exclusive. */
export interface Chunk {
  readonly ordinal: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly pageEnd: number | null;
  readonly headings: readonly string[];
}

/** What a file is called that lies under another name, as one that was uploaded. */
export interface Called {
  /** Its extension counts, and it is shown as the document's file. Never an absolute path. */
  readonly name?: string;
  /** What the document is called, whatever it says itself. */
  readonly title?: string;
}

/**
 * One thing for a parsing thread to do.
 * `file`: a whole file is one document. `rows`: a slice of a JSON Lines file, each line one document.
 */
export type ParseTask =
  | ({
      readonly kind: 'file';
      readonly path: string;
      readonly key: string;
      readonly known: string | null;
      /** Its size when it was listed, where that is known: what threads hold at once is bounded by it. */
      readonly bytes?: number;
    } & Called)
  | ({
      readonly kind: 'rows';
      readonly path: string;
      readonly corpus: string;
      readonly from: number;
      readonly to: number;
      /** Every row is one chunk, however long: its vector is that of all its text. */
      readonly whole?: boolean;
    } & Called);

/**
 * What became of one document. `key` names it in the index, `id` is what `/retrieve` shows (see work.ts).
 *
 * `hash` is the sha256 of the content, hex; of a row, of its line. It is empty where the content was not read,
 * or the thread that read it is gone (no permission, too large, timed out). Only a complete document counts as
 * known, so whatever failed is tried again by every run: what has been mended since is found.
 */
export type ParsedDocument = { readonly key: string; readonly file: string; readonly hash: string } & (
  | ({
      readonly state: 'parsed';
      readonly id: string;
      readonly title: string;
      /** `name=value` each (see labels.ts). */
      readonly labels: readonly string[];
      /** What a reader should know about it, e.g. that hidden sheets are among its text. */
      readonly warnings?: readonly string[];
    } & AnalysedText)
  /** The content's hash is the one that was already known: it was not parsed. */
  | { readonly state: 'unchanged' }
  | { readonly state: 'failed' | 'needs_ocr'; readonly reason: string }
);

export interface ChunkerOptions {
  readonly targetTokens: number;
  readonly overlapTokens: number;
  /** Name of the outside parser that reads some of the documents: of the same file it makes other chunks. */
  readonly parser?: string | undefined;
}

/** Piscina threads that read, recognise, parse and chunk. Never throws for a bad document: it says `failed`. */
export interface ParserPool extends AsyncDisposable {
  parse(task: ParseTask, signal: AbortSignal): Promise<ParsedDocument[]>;
  /** sha256 of each file, hex; null for one that is larger, cannot be read, or that nobody got round to. */
  hashes(
    paths: readonly string[],
    maxFileBytes: number,
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]>;
  /** How many tasks can run at once. */
  readonly threads: number;
}
