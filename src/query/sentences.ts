import { endsInAbbreviation } from '../words/abbreviations.ts';

/** A citation as models write it: `[1]`, `[1, 2]`, `[1-3]`, `【1】`, `【1†source】`, `[Passage 1]`. */
const numbers = String.raw`\p{Nd}{1,3}(?:\s*(?:[,;，、–—-]|and)\s*\p{Nd}{1,3})*`;
const mark = String.raw`[[［【〔]\s*(?:(?:passages?|sources?|docs?|documents?|refs?)\s*|\^)?${numbers}\s*(?:†[^\]】］〕]{0,40})?[\]］】〕]`;
const marker = new RegExp(mark, 'giu');
const freeMarker = new RegExp(String.raw`(?<![\p{L}\p{N}_)])${mark}`, 'giu');
const markers = String.raw`(?:[ \t]*${mark})*`;

/** What ends a sentence, with the quotes, brackets and citations that close it, or the end of a line. */
const boundary = new RegExp(
  String.raw`[.!?…؟۔։]+["'”’»)\]]*${markers}(?=\s|$)|[。！？｡।॥]["'”’」』)]*${markers}|\n`,
  'giu',
);

/**
 * Splits an answer into sentences; nothing but white space is lost. Citations after the full stop belong to the
 * sentence before them. A full stop before a small letter, or after an initial or a known abbreviation, does not
 * end a sentence. (Intl.Segmenter ends one after "Dr." and inside of `. [1]`.)
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let from = 0;
  for (const match of text.matchAll(boundary)) {
    const end = match.index + match[0].length;
    if (match[0] !== '\n' && goesOn(text.slice(from, end), text.slice(end, end + 8))) continue;
    sentences.push(text.slice(from, end).trim());
    from = end;
  }
  sentences.push(text.slice(from).trim());
  return sentences.filter((sentence) => sentence !== '');
}

/** `1.` at the beginning of a line numbers the sentence after it. */
const listNumber = /^\s*\d{1,3}\.$/u;

/** `z. B.`, `d. h.`, `p. ej.`: a letter with a stop before another. */
const spacedAbbreviation = /(?:^|[\s(])\p{L}\.$/u;

const goesOn = (before: string, after: string): boolean =>
  before.endsWith('.') &&
  (/^[ \t]+\p{Ll}/u.test(after) ||
    (/^[ \t]+\S/u.test(after) && (endsInAbbreviation(before) || listNumber.test(before))) ||
    (/^[ \t]+\p{L}\./u.test(after) && spacedAbbreviation.test(before)));

/** The numbers that a sentence cites, ascending and once each. `[1-3]` is 1, 2 and 3. */
export function citedNumbers(sentence: string): number[] {
  const cited = new Set<number>();
  for (const [found] of sentence.matchAll(marker)) {
    const inside = found.replace(/†.*$/u, '').normalize('NFKC');
    for (const [, first = '', last = first] of inside.matchAll(/(\d+)(?:\s*[–—-]\s*(\d+))?/gu))
      for (let n = Number(first); n <= Number(last); n += 1) cited.add(n);
  }
  return [...cited].sort((a, b) => a - b);
}

/**
 * Each citation mark in a text, by what it holds, as `make` writes it. One that follows a letter or a closing bracket
 * at once stays: `a[1]` in a program is none.
 */
export const withMarksAs = (text: string, make: (numbers: string) => string): string =>
  text.replace(freeMarker, (found) => make(found.slice(1, -1)));

/** The sentence alone: without its citations and without the number or bullet of a list. */
export const bareSentence = (sentence: string): string =>
  sentence.replace(marker, ' ').replace(/^\s*(?:\d{1,3}[.)]|[-*•])\s+/u, '');
