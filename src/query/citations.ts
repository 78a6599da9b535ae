import type { Citation, Hit, Sentence } from '../work.ts';
import { bareSentence, citedNumbers, splitSentences } from './sentences.ts';
import { type Evidence, makeEvidence } from './support.ts';

export interface CheckedAnswer {
  readonly sentences: readonly Sentence[];
  /** The passages that the answer cites, by number. */
  readonly citations: readonly Citation[];
  /** How many cited numbers no passage has. They are left out. */
  readonly citations_dropped: number;
}

/**
 * Says for each sentence of an answer which passages it cites and whether they carry it (support.ts has the
 * rule). A number that no passage has is left out; a sentence with no other number is `uncited`.
 *
 * @param used the passages of the prompt, `used[0]` being `[1]`
 */
export function checkCitations(answer: string, used: readonly Hit[]): CheckedAnswer {
  const evidence = makeEvidence(used.map(({ text }) => text));
  const named = splitSentences(answer).map((text) => ({ text, numbers: citedNumbers(text) }));
  const exists = (n: number): boolean => n >= 1 && n <= used.length;
  const sentences = named.map(({ text, numbers }) => checkSentence(text, numbers.filter(exists), evidence));
  const cited = new Set(sentences.flatMap(({ cites }) => cites));
  return {
    sentences,
    citations: used.flatMap((hit, i) => (cited.has(i + 1) ? [toCitation(i + 1, hit)] : [])),
    citations_dropped: named.flatMap(({ numbers }) => numbers).filter((n) => !exists(n)).length,
  };
}

const checkSentence = (text: string, cites: readonly number[], evidence: Evidence): Sentence => ({
  text,
  cites,
  support:
    cites.length === 0
      ? 'uncited'
      : evidence.support(
          bareSentence(text),
          cites.map((n) => n - 1),
        ),
});

const toCitation = (n: number, hit: Hit): Citation => ({
  n,
  document: hit.document,
  title: hit.title,
  file: hit.file,
  page: hit.page,
  start: hit.start,
  end: hit.end,
  score: hit.score,
  text: hit.text,
});
