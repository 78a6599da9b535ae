import type { ParsedDocument, ParseTask } from './types.ts';

/**
 * A task of which nothing came. A slice of a corpus fails as one document, named like a row whose id is not known.
 *
 * @param hash of the content, empty where it was not read
 */
export function failedTask(task: ParseTask, reason: string, hash = ''): ParsedDocument {
  const file = fileOf(task);
  if (task.kind === 'file') return { key: task.key, file, hash, state: 'failed', reason };
  const rows = `rows at bytes ${task.from} to ${task.to}: ${reason}`;
  return { key: rowPlaceKey(task.corpus, task.from), file, hash, state: 'failed', reason: rows };
}

/** What is shown as the file of the document. */
export const fileOf = ({ name, path }: Pick<ParseTask, 'name' | 'path'>): string => name ?? path;

/** As a URL names a part of a page. The key of a file holds no `#`, so no file and no other corpus has this key. */
export const rowKey = (corpus: string, id: string): string => `${corpus}#${id}`;

/** The key of a row that fails before its id is known, or that has none of its own. */
export const rowPlaceKey = (corpus: string, byteOffset: number): string => rowKey(corpus, `@${byteOffset}`);
