import { fold, withoutPoints } from './fold.ts';
import { languages } from './languages.ts';
import { splitWords } from './split.ts';

/** Names the analysis in an index's record. Raise it with every change that makes other words of the same text. */
export const analysis = 'words-1';

/** What BM25 sees of a passage. */
export interface Words {
  /** In order, separated by one space. */
  readonly words: string;
  /** How many they are. */
  readonly length: number;
}

/** Longer ones are no words but data. Identifiers and digests are looked for, and are shorter. */
const longestWord = 128;

/** A text has each word many times, and a stem takes 1 us. Forgotten when full, so that a thread stays small. */
const mostRemembered = 50_000;
const remembered = new Map<string, Map<string, string>>();

function rememberedOf(language: string): Map<string, string> {
  let terms = remembered.get(language);
  if (terms === undefined) remembered.set(language, (terms = new Map<string, string>()));
  if (terms.size >= mostRemembered) terms.clear();
  return terms;
}

/**
 * The term by which a word is found in texts of a language: its stem, without accents.
 *
 * @param word as splitWords makes it
 * @param language '' where it is not known: the word as it is, without accents
 * @returns '' for a stop word
 */
export function termOf(word: string, language: string): string {
  const terms = rememberedOf(language);
  let term = terms.get(word);
  if (term === undefined) terms.set(word, (term = makeTerm(word, language)));
  return term;
}

function makeTerm(word: string, language: string): string {
  if (word.length > longestWord) return '';
  const plain = withoutPoints(word);
  const known = languages.get(language);
  if (known === undefined) return fold(plain);
  // The Greek list has no accents.
  if (known.stopWords.has(plain) || known.stopWords.has(fold(plain))) return '';
  // The accent of an ending says what it is.
  return fold(known.stem(plain));
}

/** 25 us for 300 words. */
export function analyse(text: string, language: string): Words {
  const known = rememberedOf(language);
  const terms: string[] = [];
  for (const word of splitWords(text)) {
    const term = known.get(word) ?? termOf(word, language);
    if (term !== '') terms.push(term);
  }
  return { words: terms.join(' '), length: terms.length };
}
