/** Files of one question, one judgement or one result a line. */

/** Those that are not blank, each with its number from 1. Only `\n` ends one: rows with U+2028 and NEL inside exist. */
export function* numberedLines(text: string): Generator<readonly [number: number, line: string]> {
  for (const [at, line] of text
    .replace(/^\uFEFF/u, '')
    .split('\n')
    .entries())
    if (line.trim() !== '') yield [at + 1, line];
}
