import type { ParsedDocument, ParseTask } from './types.ts';

/**
 * A task of which nothing came. A slice of a corpus fails as one document, named like a row without an id.
 *
 * @param hash of the content, empty where it was not read
 */
export function failedTask(task: ParseTask, reason: string, hash = ''): ParsedDocument {
  if (task.kind === 'file') return { key: task.key, file: task.path, hash, state: 'failed', reason };
  const rows = `rows at bytes ${task.from} to ${task.to}: ${reason}`;
  return { key: rowKey(task.corpus, task.from), file: task.path, hash, state: 'failed', reason: rows };
}

/** The key of a row whose id is not known. */
export const rowKey = (corpus: string, byteOffset: number): string => `${corpus}@${byteOffset}`;
