import { countOf, rarity, wordsOf } from '../words.ts';

export const noAnswer = 'The passages do not answer this.';

/** How many sentences an answer has at most, and how good each must be beside the best. */
const most = 3;
const worstShare = 0.6;

interface Candidate {
  readonly n: number;
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

/**
 * Answers a prompt of numbered passages and a line `Question: ...` by quoting the sentences that share most
 * with the question, each with its passage's number.
 */
export function extractiveAnswer(prompt: string): string {
  const question =
    /^Question: ([\s\S]*)$/m.exec(prompt.slice(prompt.lastIndexOf('\nQuestion: ') + 1))?.[1] ?? prompt;
  const candidates = sentencesOf(prompt);
  const asked = new Set(wordsOf(question));
  const holders = countOf(candidates.flatMap(({ words }) => [...words]));
  const score = ({ words }: Candidate): number =>
    [...asked].reduce(
      (sum, word) => sum + (words.has(word) ? rarity(candidates.length, holders.get(word) ?? 0) : 0),
      0,
    );
  const ranked = candidates.map((each) => ({ each, score: score(each) })).sort((a, b) => b.score - a.score);
  const best = ranked[0]?.score ?? 0;
  if (best === 0) return noAnswer;
  return ranked
    .slice(0, most)
    .filter(({ score }) => score >= best * worstShare)
    .map(({ each }) => quote(each))
    .join(' ');
}

function sentencesOf(prompt: string): Candidate[] {
  const passages = prompt.matchAll(/<passage n="(\d+)"[^>]*>\n([\s\S]*?)\n<\/passage>/g);
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
  return [...passages].flatMap(([, n, text = '']) =>
    text
      .split(/\n\s*\n/)
      .flatMap((paragraph) => [...segmenter.segment(paragraph.replace(/\s+/g, ' '))])
      .map(({ segment }) => ({ n: Number(n), text: segment.trim(), words: new Set(wordsOf(segment)) }))
      .filter(({ words }) => words.size > 0),
  );
}

/** The number stands before the full stop, as in print: it belongs to this sentence, not to the next. */
const quote = ({ n, text }: Candidate): string => {
  const stop = /[.!?]$/.exec(text)?.[0];
  return stop === undefined ? `${text} [${n}].` : `${text.slice(0, -1)} [${n}]${stop}`;
};
