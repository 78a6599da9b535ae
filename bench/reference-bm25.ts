/** A plain BM25 to compare with: Lucene's idf and stop words, k1 1.2, b 0.75, a light stemmer. */

const stopWords = new Set(
  'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with'.split(
    ' ',
  ),
);

/** Plurals and the commonest endings; what is left must keep three letters. */
const endings = [/sses$/, /ies$/, /(?<=[^aiouys])es$/, /(?<![us])s$/, /ing$/, /ed$/, /ly$/];
const kept: Readonly<Record<string, string>> = { '0': 'ss', '1': 'y' };

function stem(word: string): string {
  for (const [at, ending] of endings.entries()) {
    const stemmed = word.replace(ending, kept[at] ?? '');
    if (stemmed !== word && stemmed.length >= 3) return stemmed;
  }
  return word;
}

const wordsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []).filter((word) => !stopWords.has(word)).map(stem);

interface Posting {
  readonly document: number;
  readonly count: number;
}

/** @returns ranks documents for a text: their positions in `texts`, best first, at most `k` */
export function makeReference(texts: readonly string[]): (query: string, k: number) => number[] {
  const [k1, b] = [1.2, 0.75];
  const postings = new Map<string, Posting[]>();
  const lengths = texts.map((text, document) => {
    const counts = new Map<string, number>();
    const words = wordsOf(text);
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) {
      const list = postings.get(word);
      if (list === undefined) postings.set(word, [{ document, count }]);
      else list.push({ document, count });
    }
    return words.length;
  });
  const mean = lengths.reduce((sum, length) => sum + length, 0) / texts.length;

  return (query, k) => {
    const scores = new Map<number, number>();
    for (const word of wordsOf(query)) {
      const list = postings.get(word) ?? [];
      const idf = Math.log(1 + (texts.length - list.length + 0.5) / (list.length + 0.5));
      for (const { document, count } of list) {
        const norm = k1 * (1 - b + (b * (lengths[document] ?? 0)) / mean);
        const score = (idf * count * (k1 + 1)) / (count + norm);
        scores.set(document, (scores.get(document) ?? 0) + score);
      }
    }
    const best = [...scores].sort(([a, x], [b, y]) => y - x || a - b);
    return best.slice(0, k).map(([document]) => document);
  };
}
