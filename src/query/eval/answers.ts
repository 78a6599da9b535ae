/** Answers beside the ones that were wanted: exact match and F1 as SQuAD scores them, and the option that was chosen. */

/** By label, in the order of the question. */
export type Options = ReadonlyMap<string, string>;

/** Marks of citations `[n]` are ours and not the answer's. */
const withoutCitations = (answer: string): string => answer.replace(/\s*\[\d+\]/gu, '');

/**
 * Normalisation of SQuAD's evaluation script: lower case, then without ASCII punctuation, without the articles a, an
 * and the, with single blanks.
 */
export const normalise = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/gu, '')
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();

export interface AnswerScores {
  /** 1 when the answer is one of the wanted ones, normalised. */
  readonly em: number;
  /** Of the words shared with the wanted answer that fits best. */
  readonly f1: number;
}

export function scoreAnswer(answer: string, wanted: readonly string[]): AnswerScores {
  const given = normalise(withoutCitations(answer));
  const all = wanted.map(normalise);
  return { em: all.includes(given) ? 1 : 0, f1: Math.max(0, ...all.map((one) => wordF1(given, one))) };
}

/** Whether a passage holds one of the wanted answers, word for word, both normalised. */
export function holdsAnswer(passage: string, wanted: readonly string[]): boolean {
  const text = ` ${normalise(passage)} `;
  return wanted.map(normalise).some((answer) => answer !== '' && text.includes(` ${answer} `));
}

function wordF1(given: string, wanted: string): number {
  const [words, left] = [wordsOf(given), new Map<string, number>()];
  const expected = wordsOf(wanted);
  if (words.length === 0 || expected.length === 0) return given === wanted ? 1 : 0;
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of words) {
    const count = left.get(word) ?? 0;
    if (count > 0) shared += 1;
    left.set(word, count - 1);
  }
  const [precision, recall] = [shared / words.length, shared / expected.length];
  return shared === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

const wordsOf = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** The question as a model is asked it; what is searched for is the question alone. */
export const askWithOptions = (question: string, options: Options): string =>
  [
    question,
    ...[...options].map(([label, text]) => `${label}. ${text}`),
    'Which option is right? Begin the answer with its letter.',
  ].join(' ');

/**
 * @returns the label that the answer names: as a field of JSON, at its beginning, behind "answer", in brackets, or by the
 * text of exactly one option; undefined when it names none or several
 */
export function chosenOption(answer: string, options: Options): string | undefined {
  const text = withoutCitations(answer).trim();
  const labels = [...options.keys()];
  const said = forms(labels).flatMap((form) => [...text.matchAll(form)].map(([, label]) => label));
  const label = labels.find((each) => each.toUpperCase() === said[0]?.toUpperCase());
  if (label !== undefined) return label;
  const normalised = ` ${normalise(text)} `;
  const named = [...options].filter(([, option]) => normalised.includes(` ${normalise(option)} `));
  return named.length === 1 ? named[0]?.[0] : undefined;
}

/** How models name an option, the surest first. */
function forms(labels: readonly string[]): RegExp[] {
  const label = `(${labels.map((each) => each.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')).join('|')})`;
  return [
    new RegExp(`"answer(?:_choice)?"\\s*:\\s*"${label}\\b`, 'giu'),
    new RegExp(`^\\W*(?:option\\s+)?${label}(?:[.):,]|\\s*$)`, 'giu'),
    new RegExp(`\\banswer\\s*(?:is)?\\s*:?\\s*\\(?(?:option\\s+)?${label}(?![\\p{L}\\p{N}])`, 'giu'),
    new RegExp(`\\(${label}\\)`, 'gu'),
  ];
}
