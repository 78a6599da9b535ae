import { isAscii } from './split.ts';

/** Vowel points and stretching of Arabic and Hebrew: most texts leave them out. */
const points = /[\p{sc=Hebr}&&\p{Mn}]|\u{640}|[\u{64b}-\u{652}]|\u{670}/gv;

export const withoutPoints = (word: string): string => (isAscii(word) ? word : word.replace(points, ''));

/** Not the voiced sounds of Japanese, not the breve of й: they make other letters. */
const accents = /(?<!и)\u0306|[\u0300-\u0305\u0307-\u036f\u0653-\u0655]/gu;

/** Letters that keep no accent apart and are typed as others all the same. */
const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
  ى: 'ي',
};
const letter = new RegExp(`[${Object.keys(letters).join('')}]`, 'gu');

/** A word in small letters as it is found: `forêt` as `foret`, `Müller` as `muller`, `أحمد` as `احمد`. */
export function fold(word: string): string {
  if (isAscii(word)) return word;
  return word
    .normalize('NFD')
    .replace(accents, '')
    .normalize('NFC')
    .replace(letter, (each) => letters[each] ?? each);
}
