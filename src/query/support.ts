import type { Support } from '../work.ts';
import { languageOf } from '../words/language.ts';
import { isNegated } from './negation.ts';
import { claimedIn, statedIn } from './numbers.ts';
import { splitSentences } from './sentences.ts';
import { contentWords, terms, words } from './words.ts';

/** A run of so many words is quoted even when the sentence around it is not. */
const QUOTED_RUN = 8;

/**
 * What a sentence must reach by `overlap` below. Measured on the conclusions of 1,000 PubMedQA abstracts, which people
 * wrote freely: 5 % of those that cite their own abstract stay under it (bench/citations). Answers that keep to the
 * words of their passages, as the prompt asks, lie far above it.
 */
export const CARRIED = 0.12;

/** Two sentences that share so much of both their words say the same, or the contrary. */
const SAME_STATEMENT = 0.75;

/** What is asked of one passage again and again. */
interface Passage {
  readonly words: string;
  readonly terms: ReadonlySet<string>;
  /** Numbers and dates that stand in it. */
  readonly numbers: ReadonlySet<string>;
  readonly sentences: readonly Statement[];
}

interface Statement {
  readonly content: ReadonlySet<string>;
  readonly negated: boolean;
}

/** How well the passages of one prompt carry sentences that cite them. Positions count from 0. */
export interface Evidence {
  support(sentence: string, cited: readonly number[]): Exclude<Support, 'uncited'>;
  /** The share of the sentence that the cited passages hold, less what another passage holds more of it; at most 1. */
  overlap(sentence: string, cited: readonly number[]): number;
}

/**
 * Judges, in this order:
 * - `unsupported`: a number, with its unit, or a date of the sentence stands in no cited passage. A wrong dose in right
 *   words is the worst answer, so this goes before all else.
 * - `quoted`: the whole sentence stands in one cited passage, letter case, white space and punctuation apart.
 * - `unsupported`: a cited passage has the sentence with a "not" where this one has none, or the other way round.
 * - `quoted`: eight words in a row stand in one cited passage.
 * - `overlapping`: enough of its words and of their pairs, cut to stems, stand in the cited passages, and not many more
 *   in another passage.
 *
 * This compares words, not meaning: it misses a reversed relation, and a citation of a passage in another language is
 * `unsupported`.
 */
export function makeEvidence(texts: readonly string[]): Evidence {
  // Of a prompt in several languages the others are only stemmed worse: sentence and passage in the same way.
  const language = languageOf(texts.join('\n'));
  const passages = texts.map((text) => readPassage(text, language));
  const holders = new Map<string, number>();
  for (const passage of passages)
    for (const term of passage.terms) holders.set(term, (holders.get(term) ?? 0) + 1);

  const overlap: Evidence['overlap'] = (sentence, cited) => {
    const wanted = [...new Set(terms(sentence, language))];
    const share = (held: readonly Passage[]): number => shareHeld(wanted, held, holders);
    const own = share(pick(passages, cited));
    const others = passages.filter((_, at) => !cited.includes(at)).map((passage) => share([passage]));
    return own - Math.max(0, Math.max(0, ...others) - own);
  };
  return {
    overlap,
    support(sentence, cited) {
      const held = pick(passages, cited);
      if (!numbersHold(sentence, held)) return 'unsupported';
      const wanted = words(sentence);
      if (wanted.length > 0 && held.some((passage) => quotes(wanted, passage, wanted.length)))
        return 'quoted';
      const statement = readStatement(sentence, language);
      if (held.some((passage) => contradicts(statement, passage))) return 'unsupported';
      if (held.some((passage) => quotes(wanted, passage, QUOTED_RUN))) return 'quoted';
      return overlap(sentence, cited) >= CARRIED ? 'overlapping' : 'unsupported';
    },
  };
}

const pick = (passages: readonly Passage[], at: readonly number[]): Passage[] =>
  at.map((each) => passages[each]).filter((passage) => passage !== undefined);

const readPassage = (text: string, language: string): Passage => ({
  words: ` ${words(text).join(' ')} `,
  terms: new Set(terms(text, language)),
  numbers: statedIn(text),
  sentences: splitSentences(text.replace(/\s+/gu, ' ')).map((sentence) => readStatement(sentence, language)),
});

const readStatement = (text: string, language: string): Statement => ({
  content: new Set(contentWords(text, language)),
  negated: isNegated(words(text)),
});

function numbersHold(sentence: string, held: readonly Passage[]): boolean {
  return claimedIn(sentence).every((readings) =>
    readings.some((reading) => held.some(({ numbers }) => numbers.has(reading))),
  );
}

function quotes(wanted: readonly string[], passage: Passage, length: number): boolean {
  for (let from = 0; from + length <= wanted.length; from += 1)
    if (passage.words.includes(` ${wanted.slice(from, from + length).join(' ')} `)) return true;
  return false;
}

function contradicts({ content, negated }: Statement, { sentences }: Passage): boolean {
  if (content.size === 0) return false;
  const same = sentences.filter((each) => {
    const shared = [...content].filter((word) => each.content.has(word)).length;
    return shared / Math.max(content.size, each.content.size) >= SAME_STATEMENT;
  });
  return same.length > 0 && same.every((each) => each.negated !== negated);
}

/** A term counts the less the more passages of the prompt have it: what all have tells none from another. */
function shareHeld(
  wanted: readonly string[],
  held: readonly Passage[],
  holders: ReadonlyMap<string, number>,
): number {
  let [found, all] = [0, 0];
  for (const term of wanted) {
    const weight = 1 / Math.max(1, holders.get(term) ?? 0);
    all += weight;
    if (held.some((passage) => passage.terms.has(term))) found += weight;
  }
  return all === 0 ? 0 : found / all;
}
