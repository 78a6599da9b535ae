import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
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
  /** What its name should end with, by its content. */
  readonly suffix: string;
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

/**
 * The program gets a copy: it goes by the suffix, which may be wrong, and makes names of its own from the name, which
 * may be hostile.
 *
 * @param read what the program wrote, in a thread; the folder is gone afterwards
 */
export async function convertOutside(
  { parser, scratch }: Outside,
  { path, suffix }: { readonly path: string; readonly suffix: string },
  signal: AbortSignal,
  read: (folder: string) => Promise<ParsedDocument[]>,
): Promise<ParsedDocument[] | Exclude<Conversion, { outcome: 'done' }>> {
  const folder = await mkdtemp(join(scratch, 'parsed-'));
  const [input, output] = [join(folder, `document.${suffix}`), join(folder, 'output')];
  try {
    try {
      await copyFile(path, input);
      await mkdir(output);
    } catch (error) {
      return { outcome: 'failed', reason: `it cannot be copied to ${scratch}: ${messageOf(error)}` };
    }
    const conversion = await parser.convert(input, output, signal);
    return conversion.outcome === 'done' ? await read(output) : conversion;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
