import { countOf, rarity, wordsOf } from './words.ts';

/** BM25's usual constants: how fast repetition stops to count, how much length matters. */
const k1 = 1.2;
const b = 0.75;

/**
 * One score in 0-1 per passage: the share of the query's weight that the passage holds, where a word weighs
 * the more the fewer of these passages hold it.
 */
export function lexicalScores(query: string, passages: readonly string[]): number[] {
  const asked = [...new Set(wordsOf(query))];
  const texts = passages.map((passage) => wordsOf(passage));
  const counts = texts.map(countOf);
  const meanLength = texts.reduce((sum, words) => sum + words.length, 0) / Math.max(1, texts.length) || 1;
  const weights = asked.map((word) => rarity(texts.length, counts.filter((count) => count.has(word)).length));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return counts.map((count, at) => {
    const length = (texts[at]?.length ?? 0) / meanLength;
    const held = asked.reduce((sum, word, which) => {
      const times = count.get(word) ?? 0;
      return sum + ((weights[which] ?? 0) * times) / (times + k1 * (1 - b + b * length));
    }, 0);
    return whole === 0 ? 0 : held / whole;
  });
}
