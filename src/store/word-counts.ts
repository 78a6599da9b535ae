import { setImmediate as turn } from 'node:timers/promises';

/** How many rows hold each word. */
export type WordCounts = ReadonlyMap<string, number>;

/** Rows after which others may have the thread: some 2 ms. */
const rowsPerTurn = 256;

/**
 * 100k rows of 100 words take a second, beside whatever else is done. To ask Lance takes 0.9 ms for each word that was
 * not asked for before, and of six words of a question some three were not.
 *
 * @param texts words separated by one space each
 * @returns undefined when the signal aborts first
 */
export async function countWords(
  texts: Iterable<string>,
  signal: AbortSignal,
): Promise<WordCounts | undefined> {
  const counts = new Map<string, number>();
  let rows = 0;
  for (const text of texts) {
    for (const word of new Set(text.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
    rows += 1;
    if (rows % rowsPerTurn !== 0) continue;
    await turn();
    if (signal.aborted) return undefined;
  }
  return counts;
}
