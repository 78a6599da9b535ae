import { inTurns } from '../in-turns.ts';

/** How many rows hold each word. */
export type WordCounts = ReadonlyMap<string, number>;

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
  const count = (text: string): void => {
    for (const word of new Set(text.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  return (await inTurns(texts, count, { perTurn: 256, signal })) === 'done' ? counts : undefined;
}
