import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedDocument } from './types.ts';

/**
 * A parser that is a program of its own (RAG_PARSER: MinerU, Docling). It gets what our own readers read worst:
 * PDFs, and pictures, which they do not read at all. Whoever starts programs makes one; this room reads what it
 * wrote.
 */
export interface OutsideParser {
  /**
   * Reads `input` and writes into the empty folder `output` what `outside-output.ts` can read. Resolves when the
   * program and all that it started have ended.
   *
   * @param signal ends it
   */
  convert(input: string, output: string, signal: AbortSignal): Promise<Conversion>;
}

export type Conversion =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'failed' | 'timed-out' | 'aborted'; readonly reason: string };

/** What a thread answers for a file that is not for it. */
export interface ForOutside {
  readonly kind: 'for-outside';
  readonly hash: string;
}

/** Where the program wrote. */
export interface OutsideOutput {
  readonly folder: string;
  /** Of the file that it read. */
  readonly hash: string;
}

export interface Outside {
  readonly parser: OutsideParser;
  /** A folder of this run, on a local disk. */
  readonly scratch: string;
}

/** @param read what the program wrote, in a thread; the folder is gone afterwards */
export async function convertOutside(
  { parser, scratch }: Outside,
  file: string,
  signal: AbortSignal,
  read: (folder: string) => Promise<ParsedDocument[]>,
): Promise<ParsedDocument[] | Exclude<Conversion, { outcome: 'done' }>> {
  const folder = await mkdtemp(join(scratch, 'parsed-'));
  try {
    const conversion = await parser.convert(file, folder, signal);
    return conversion.outcome === 'done' ? await read(folder) : conversion;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
