import type { ParsedText } from './block.ts';
import { rowLine, tableBlock } from './table-rows.ts';

/** Comma- and tab-separated values: one table, whose first row names the columns. @param text cleaned */
export function parseDelimited(text: string): ParsedText {
  const delimiter = delimiterOf(text);
  const rows = readRows(text, delimiter, true) ?? readRows(text, delimiter, false) ?? [];
  const lines = rows
    .map((row) => rowLine(row.map((cell) => cell.replace(/\s+/gu, ' ').trim())))
    .filter((line) => line !== '');
  if (lines.length === 0) return { title: undefined, blocks: [] };
  return { title: undefined, blocks: [tableBlock(lines, isHeader(rows[0] ?? []) ? 1 : 0)] };
}

const delimiters = ['\t', ',', ';', '|'] as const;
const triedLines = 10;

/** That which divides the first lines into as many parts each; else that which stands most often in the first. */
function delimiterOf(text: string): string {
  const lines = text
    .slice(0, 65_536)
    .split('\n', triedLines)
    .filter((line) => line.trim() !== '');
  const counts = delimiters.map((delimiter) => {
    const parts = lines.map((line) => line.split(delimiter).length);
    const [first = 1] = parts;
    return { delimiter, first, isEven: first > 1 && parts.every((count) => count === first) };
  });
  const even = counts.filter(({ isEven }) => isEven);
  return (even.length > 0 ? even : counts).reduce((best, one) => (one.first > best.first ? one : best))
    .delimiter;
}

/** Names, not numbers. */
const isHeader = (cells: readonly string[]): boolean =>
  cells.length > 1 && cells.every((cell) => Number.isNaN(Number(cell)) || cell.trim() === '');

/** A quoted cell may hold delimiters, line breaks and doubled quotes. @returns undefined when a quote is never closed */
function readRows(text: string, delimiter: string, hasQuotes: boolean): string[][] | undefined {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    let cell = '';
    if (hasQuotes && text[at] === '"') {
      const end = closingQuote(text, at + 1);
      if (end < 0) return undefined;
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    }
    // After a closing quote nothing but a delimiter should come; if more does, it belongs to the cell.
    const end = endOfCell(text, at, delimiter);
    row.push(cell + text.slice(at, end));
    if (end === text.length || text[end] === '\n') {
      rows.push(row);
      row = [];
    } else if (end + 1 === text.length) row.push('');
    at = end + 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
  return at;
}
