import type { Citation, Hit, Sentence } from '../work.ts';
import { bareSentence, citedNumbers, splitSentences } from './sentences.ts';
import { supportOf } from './support.ts';

export interface CheckedAnswer {
  readonly sentences: readonly Sentence[];
  /** The passages that the answer cites, by number. */
  readonly citations: readonly Citation[];
}

/**
 * Says for each sentence of an answer which passages it cites and whether they carry it (support.ts has the
 * rule). A number that no passage has is left out; a sentence with no other number is `uncited`.
 *
 * @param used the passages of the prompt, `used[0]` being `[1]`
 */
export function checkCitations(answer: string, used: readonly Hit[]): CheckedAnswer {
  const sentences = splitSentences(answer).map((text) => checkSentence(text, used));
  const cited = new Set(sentences.flatMap(({ cites }) => cites));
  const citations = used.flatMap((hit, i) => (cited.has(i + 1) ? [toCitation(i + 1, hit)] : []));
  return { sentences, citations };
}

function checkSentence(text: string, used: readonly Hit[]): Sentence {
  const cites = citedNumbers(text).filter((n) => n >= 1 && n <= used.length);
  if (cites.length === 0) return { text, cites, support: 'uncited' };
  const passages = cites.map((n) => used[n - 1]?.text ?? '');
  return { text, cites, support: supportOf(bareSentence(text), passages) };
}

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
