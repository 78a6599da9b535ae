/** Control characters but tab and newline; separators that line-based readers trip over; invisible marks. */
const unwanted = /[[\p{Cc}\u2028\u2029\u00ad\ufeff\ufffe\uffff]--[\t\n]]/v;
const allUnwanted = new RegExp(unwanted.source, 'gv');
const lineBreaks = /\r\n?|[\v\f\x85\u2028\u2029]/gu;

/**
 * Text that is safe to store, to print and to embed: `\n` is the only line break (corpora do hold NEL and
 * U+2028, and readers that split by them have lost rows), no other control character, no lone surrogate.
 */
export function cleanText(raw: string): string {
  const text = raw.toWellFormed();
  return unwanted.test(text) ? text.replace(lineBreaks, '\n').replace(allUnwanted, '') : text;
}

/** For titles, names and messages. */
export const cleanLine = (raw: string): string => cleanText(raw).replace(/\s+/gu, ' ').trim();
