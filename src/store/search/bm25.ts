/** BM25 with Lucene's idf, as Lance scores too. Pure. */
const k1 = 1.2;
const b = 0.75;

/** Of a word that `holders` of `rows` passages hold: never negative. */
export const rarity = (rows: number, holders: number): number =>
  Math.log(1 + (rows - holders + 0.5) / (holders + 0.5));

/** Between 0 and k1 + 1. @param count how often the passage has the word */
const saturation = (count: number, length: number, meanLength: number): number =>
  (count * (k1 + 1)) / (count + k1 * (1 - b + (b * length) / meanLength));

/** A word of a question. Its forms count as one, as if the passage had one of them in place of all. */
export interface WeighedWord {
  readonly forms: readonly string[];
  readonly weight: number;
}

/** @param words of a passage, separated by one space; `length` how many they are */
export type ScorePassage = (words: string, length: number) => number;

/**
 * The passages' words are searched and not split, which takes a quarter of the time (0.4 against 1.6 ms for 108
 * passages and nine words).
 */
export function makeScorer(asked: readonly WeighedWord[], meanLength: number): ScorePassage {
  const forms = asked.flatMap((word) => word.forms);
  // Letters, digits, and the points and commas of numbers. The space after a word is also the one before the next.
  const wanted = new RegExp(` (?:${forms.join('|').replaceAll('.', String.raw`\.`)})(?= )`, 'g');
  return (words, length) => {
    const counts = new Map<string, number>();
    for (const found of ` ${words} `.match(wanted) ?? []) {
      const form = found.slice(1);
      counts.set(form, (counts.get(form) ?? 0) + 1);
    }
    let score = 0;
    for (const { forms, weight } of asked) {
      const count = forms.reduce((total, form) => total + (counts.get(form) ?? 0), 0);
      if (count > 0) score += weight * saturation(count, length, meanLength);
    }
    return score;
  };
}
