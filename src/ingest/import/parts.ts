/** What is imported: lines with a vector each. */
import type { FailureRow } from '../../store/types.ts';
import type { BareRow } from '../chunk-rows.ts';
import type { NumberedSlice } from './corpus-rows.ts';
import type { VectorFile } from './vector-file.ts';

/** A file of passages, and that of their vectors in the same order. */
export interface Part {
  readonly path: string;
  readonly vectors: VectorFile;
  readonly slices: readonly NumberedSlice[];
  /** One entry for each line of a slice. */
  read(slice: NumberedSlice, signal: AbortSignal): Promise<readonly Entry[]>;
  /** All of it, some documents at a time. */
  documents(signal: AbortSignal): AsyncIterable<readonly Document[]>;
}

/** A passage; or why a line is none; or a line that stood before. */
export type Entry = { readonly row: BareRow } | { readonly failure: FailureRow } | 'repeated';

/** The passages of one document, whose vectors follow each other from row `at` on. */
export type Document =
  | {
      readonly rows: readonly BareRow[];
      readonly at: number;
      /** It is one passage, whatever an ingest makes of it. */
      readonly whole: boolean;
    }
  | Exclude<Entry, { readonly row: BareRow }>;

export const rowsOf = ({ slices }: Part): number => slices.reduce((sum, { rows }) => sum + rows, 0);
