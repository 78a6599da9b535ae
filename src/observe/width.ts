/** How many columns of a terminal a text takes, and texts made to fit. Pure; texts without escape sequences. */

/** East Asian wide and fullwidth characters and emoji, by their blocks: what terminals draw two columns wide. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F900}-\u{1F9FF}\u{20000}-\u{3FFFD}]/u;
/** Marks that stand on nothing. */
const bare = /^(?:\p{Mn}|\p{Me}|[\u200B-\u200D]|[\uFE00-\uFE0F])+$/u;
// oxlint-disable-next-line no-control-regex -- nearly every text is ASCII
const ascii = /^[\x20-\x7E]*$/;

const segmenter = new Intl.Segmenter();

/** What a reader takes for one character each: a letter with its accents, a flag, a family. */
const charactersOf = (text: string): string[] =>
  Array.from(segmenter.segment(text), ({ segment }) => segment);

const columnsOf = (character: string): number => (bare.test(character) ? 0 : wide.test(character) ? 2 : 1);

export const widthOf = (text: string): number =>
  ascii.test(text)
    ? text.length
    : charactersOf(text).reduce((sum, character) => sum + columnsOf(character), 0);

export const padEnd = (text: string, columns: number): string =>
  `${text}${' '.repeat(Math.max(0, columns - widthOf(text)))}`;

/** As much of its beginning as fits. */
function beginning(text: string, columns: number): string {
  let kept = '';
  let used = 0;
  for (const character of charactersOf(text)) {
    used += columnsOf(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
}

/** The beginning that fits; what is left out is three dots, where there is room for them. */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns > 8 ? `${beginning(text, columns - 3)}...` : beginning(text, columns);
}

/** Lines of at most so many columns, broken between words; a word that is longer (a path) is broken where it must be. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').flatMap((each) => pieces(each, columns))) {
    const line = lines.at(-1);
    if (line === undefined || widthOf(line) + 1 + widthOf(word) > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** At least one character each, however narrow it gets. */
function pieces(word: string, columns: number): string[] {
  if (widthOf(word) <= columns) return [word];
  const first = beginning(word, columns) || (charactersOf(word)[0] ?? word);
  return first.length === word.length ? [word] : [first, ...pieces(word.slice(first.length), columns)];
}

/** A text wrapped within so many columns, each line behind so many blanks. */
export const hanging = (text: string, indent: number, columns: number): string[] =>
  wrap(text, Math.max(20, columns - indent)).map((line) => `${' '.repeat(indent)}${line}`);
