import { analyse } from '../words/analyse.ts';

/** Scripts that are written without spaces: a character is taken for a word. */
const word = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]|[\p{L}\p{M}\p{N}]+(?:[.,]\p{N}+)*|%/gu;

/** Words in small letters, compatibility forms unified; a decimal number is one word. */
export const words = (text: string): string[] => text.normalize('NFKC').toLowerCase().match(word) ?? [];

/** Stems of the words that carry meaning, in order, as the index has them. */
export const contentWords = (text: string, language: string): string[] =>
  analyse(text, language)
    .words.split(' ')
    .filter((each) => each !== '');

/**
 * Words that carry meaning and pairs of neighbours among them. The pairs tell two passages about one subject apart:
 * they raised the share of moved citations that are found from 92 to 98 % (bench/citations).
 */
export function terms(text: string, language: string): string[] {
  const content = contentWords(text, language);
  return [...content, ...content.slice(1).map((each, before) => `${content[before]} ${each}`)];
}
