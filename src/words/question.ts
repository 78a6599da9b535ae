import { termOf } from './analyse.ts';
import { splitWords } from './split.ts';

/** A word of a question: the terms by which it may be found, in the languages of an index. They count as one. */
export interface QuestionWord {
  /** Distinct, at least one. */
  readonly forms: readonly string[];
  /** How often the question has it. */
  readonly count: number;
}

/** A longer question is a document: its first words say what it is about. */
const mostWords = 256;

/**
 * The words of a question, in the order in which they first stand in it.
 *
 * A word that says nothing in the language of the question is left out in every other one too, where the stop words
 * do not have it: "the" would be rare in German texts, and therefore weigh most. The question's language is the one
 * that has most of its words as stop words. Where nothing would be left, nothing is left out, so that "die" finds
 * English texts beside German ones.
 *
 * @param present the languages of the index, '' among them where some texts are of none that is known
 */
export function questionWords(question: string, present: readonly string[]): QuestionWord[] {
  const words = splitWords(question);
  const isSilent = silence(words, present);
  const telling = words.filter((word) => !isSilent(word));
  const all = countForms(telling, present);
  return all.length > 0 ? all : countForms(words, present);
}

function countForms(words: readonly string[], present: readonly string[]): QuestionWord[] {
  const counted = new Map<string, QuestionWord>();
  for (const word of words) {
    const terms = present.map((language) => termOf(word, language)).filter((term) => term !== '');
    const forms = [...new Set(terms)].sort();
    if (forms.length === 0) continue;
    const key = forms.join(' ');
    const before = counted.get(key)?.count ?? 0;
    if (before === 0 && counted.size === mostWords) continue;
    counted.set(key, { forms, count: before + 1 });
  }
  return [...counted.values()];
}

/** Whether a word is a stop word in the question's language; in all of them where several are as likely. */
function silence(words: readonly string[], present: readonly string[]): (word: string) => boolean {
  const isStop = (word: string, language: string): boolean => termOf(word, language) === '';
  const hits = present.map((language) => words.filter((word) => isStop(word, language)).length);
  const most = Math.max(0, ...hits);
  const likely = present.filter((_, at) => hits[at] === most);
  return (word) => most > 0 && likely.every((language) => isStop(word, language));
}
