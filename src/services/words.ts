/** Words of a text for programs that compare texts without a model. */

const stopWords = new Set(
  `a an and any are as at be been but by can could did do does for from had has have how i if in into is it its
  me my no not of on or our shall should so such than that the their them then there these they this those to
  was we were what when where which who whom whose why will with would you your`.split(/\s+/),
);

const endings = /(?:ations?|ings?|edly|ness|ies|ers?|ed|es|ly|s)$/;

/** Words of one root become equal often enough; what is left has at least 4 letters. */
function stem(word: string): string {
  const root = word.replace(endings, '');
  return root.length >= 4 ? root : word.replace(/s$/, '');
}

/** Lower case, without accents, stop words and endings, in order. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !stopWords.has(word)).map(stem);
}

export function countOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** BM25's weight of a word that `holders` of `total` texts hold: never negative. */
export const rarity = (total: number, holders: number): number =>
  Math.log(1 + (total - holders + 0.5) / (holders + 0.5));
