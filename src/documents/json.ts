import { isContentList, parseContentList } from './content-list.ts';
import type { ParsedText } from './block.ts';
import { isNotebook, parseNotebook } from './notebook.ts';
import { isRow } from './rows.ts';
import { parseSource } from './source.ts';

export type SniffedJson =
  /** A corpus, written as JSON Lines would be. */
  | { readonly kind: 'rows'; readonly lines: Buffer }
  | { readonly kind: 'parsed'; readonly parsed: ParsedText };

/** Of so many elements one must be a good row: a bad first row does not hide a corpus. */
const triedRows = 20;

/**
 * A file that is one JSON value: a corpus of rows, a document of RAG-Anything, a notebook, or anything else, which is read
 * as it is written. Undefined when it is not JSON.
 *
 * @param text cleaned
 */
export function sniffJson(text: string): SniffedJson | undefined {
  if (!/^\s*[[{]/u.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (isNotebook(value)) return { kind: 'parsed', parsed: parseNotebook(value) };
  if (isContentList(value)) return { kind: 'parsed', parsed: parseContentList(value) };
  if (Array.isArray(value) && value.slice(0, triedRows).some(isRow)) {
    return { kind: 'rows', lines: Buffer.from(value.map((row) => JSON.stringify(row)).join('\n')) };
  }
  // On a single line it could be cut only in the middle of something.
  const lines = text.trim().includes('\n') ? text : JSON.stringify(value, null, 1);
  return { kind: 'parsed', parsed: parseSource(lines) };
}
