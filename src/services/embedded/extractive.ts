import { endsInAbbreviation } from '../../words/abbreviations.ts';
import { countOf, rarity, wordsOf } from '../words.ts';

export const noAnswer = 'The passages do not answer this.';

/** How many sentences an answer has at most, and how good each must be beside the best. */
const most = 3;
const worstShare = 0.7;

/** Above so many different words a sentence shares words with any question. */
const longWords = 30;

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
  // Neighbouring chunks overlap: a sentence that stands in both is quoted once.
  const candidates = [
    ...new Map(
      sentencesOf(prompt)
        .toReversed()
        .map((each) => [each.text, each]),
    ).values(),
  ].toReversed();
  const asked = new Set(wordsOf(question));
  const holders = countOf(candidates.flatMap(({ words }) => [...words]));
  const score = ({ words }: Candidate): number =>
    [...asked].reduce(
      (sum, word) => sum + (words.has(word) ? rarity(candidates.length, holders.get(word) ?? 0) : 0),
      0,
    ) / Math.max(1, words.size / longWords);
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
  return [...passages].flatMap(([, n, text = '']) =>
    text
      .split(/\n\s*\n/)
      .flatMap(sentencesOfParagraph)
      .map((sentence) => ({ n: Number(n), text: sentence, words: new Set(wordsOf(sentence)) }))
      .filter(({ words }) => words.size > 0),
  );
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

const isRow = (line: string): boolean => /^\s*\||\s\|\s/.test(line);
const isRuler = (line: string | undefined): boolean => /^[\s|:-]*-[\s|:-]*$/.test(line ?? '');
const isItem = (line: string): boolean => /^\s*([-*•]|\d+[.)])\s/.test(line);

/** A row of a table is a sentence, an item of a list begins one; all other lines are only wrapped. */
function sentencesOfParagraph(paragraph: string): string[] {
  const parts: string[] = [];
  const lines = paragraph.split('\n');
  for (const [at, line] of lines.entries()) {
    const before = lines[at - 1];
    if (isRow(line)) parts.push(isRuler(lines[at + 1]) || isRuler(line) ? '' : withoutFrame(line));
    else if (before === undefined || isRow(before) || isItem(line)) parts.push(line);
    else parts.push(`${parts.pop()} ${line}`);
  }
  return parts.flatMap((part) => split(part.replace(/\s+/g, ' '))).map((sentence) => sentence.trim());
}

/** The segmenter ends a sentence after "Ms.", too. */
function split(text: string): string[] {
  const sentences: string[] = [];
  let begun = '';
  for (const { segment } of segmenter.segment(text)) {
    begun += segment;
    if (endsInAbbreviation(begun.trimEnd())) continue;
    sentences.push(begun);
    begun = '';
  }
  return begun === '' ? sentences : [...sentences, begun];
}

const withoutFrame = (line: string): string =>
  line
    .replace(/^\s*\|\s*|\s*\|\s*$/g, '')
    .replace(/\s*\|\s*/g, ', ')
    .trim();

/** The number stands before the full stop, as in print: it belongs to this sentence, not to the next. */
const quote = ({ n, text }: Candidate): string => {
  const stop = /[.!?]$/.exec(text)?.[0];
  return stop === undefined ? `${text} [${n}].` : `${text.slice(0, -1)} [${n}]${stop}`;
};
