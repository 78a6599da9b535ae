/** A citation as models write it: `[1]`, `[1, 2]`, `[1-3]`. */
const marker = /\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]/gu;
const markers = String.raw`(?:[ \t]*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\])*`;

/** A full stop with the quotes, brackets and citations that close its sentence, or the end of a line. */
const boundary = new RegExp(
  String.raw`[.!?…]+["'”’»)\]]*${markers}(?=\s|$)|[。！？]["'”’」』)]*${markers}|\n`,
  'gu',
);

/** What ends with a full stop and seldom ends a sentence. */
const abbreviation =
  /(?:^|[\s(["'])(?:\p{Lu}|e\.g|i\.e|cf|vs|etc|al|Dr|Mr|Mrs|Ms|Prof|St|Fig|Figs|Eq|Ref|No|Nos|Vol|pp|p|ca|approx|resp)\.$/u;

/**
 * Splits an answer into sentences; nothing but white space is lost. Citations after the full stop belong to the
 * sentence before them. A full stop before a small letter, or after an initial or a known abbreviation, does not
 * end a sentence.
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

const goesOn = (before: string, after: string): boolean =>
  before.endsWith('.') &&
  (/^[ \t]+\p{Ll}/u.test(after) ||
    (/^[ \t]+\S/u.test(after) && (abbreviation.test(before) || listNumber.test(before))));

/** The numbers that a sentence cites, ascending and once each. `[1-3]` is 1, 2 and 3. */
export function citedNumbers(sentence: string): number[] {
  const numbers = new Set<number>();
  for (const [found] of sentence.matchAll(marker)) {
    for (const part of found.slice(1, -1).split(/[,;]/u)) {
      const [first = 0, last = first] = part.split(/[–-]/u).map(Number);
      for (let n = first; n <= last; n += 1) numbers.add(n);
    }
  }
  return [...numbers].sort((a, b) => a - b);
}

/** The sentence alone: without its citations and without the number or bullet of a list. */
export const bareSentence = (sentence: string): string =>
  sentence.replace(marker, ' ').replace(/^\s*(?:\d{1,3}[.)]|[-*•])\s+/u, '');
