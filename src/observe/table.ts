/** Tables for people: as wide as they need to be, and not wider than the terminal. Pure. */
import type { Paint, Style } from './paint.ts';
import { hanging, padEnd, widthOf, wrap } from './width.ts';

export interface Column {
  readonly title: string;
  /** Takes what the others leave, and more lines where that is not enough. */
  readonly flexible?: boolean;
  readonly right?: boolean;
}

export type Cell = string | { readonly text: string; readonly style: Style };

/** So that text remains readable in a terminal that is far too narrow. */
const leastColumns = 10;

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

export interface TableView {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** What is to be said of a row, by its position: on lines of its own below it. */
  readonly notes?: readonly string[];
}

const noteIndent = 4;

/**
 * @param rows texts without control characters
 * @returns lines
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, paint, notes = [] }: TableView,
): string[] {
  const head = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  const widths = fitted(columns, [head, ...rows], width);
  const noteLines = (note = ''): string[] => (note === '' ? [] : hanging(note, noteIndent, width));
  return [
    ...rowLines(head, columns, widths, paint),
    ...rows.flatMap((row, at) => [...rowLines(row, columns, widths, paint), ...noteLines(notes[at])]),
  ];
}

/** What the contents need; of what is too much the flexible ones take less. */
function fitted(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): readonly number[] {
  const needed = columns.map((_column, at) => Math.max(...rows.map((row) => widthOf(textOf(row[at] ?? '')))));
  const isFlexible = (at: number): boolean => columns[at]?.flexible === true;
  const gaps = 2 * (columns.length - 1);
  const fixed = needed.reduce((sum, each, at) => (isFlexible(at) ? sum : sum + each), gaps);
  const shares = shared(
    needed.filter((_each, at) => isFlexible(at)),
    width - fixed,
  );
  return needed.map((each, at) => (isFlexible(at) ? (shares.shift() ?? each) : each));
}

/** To each what it needs, or an equal share of what those leave that need less. */
function shared(needed: readonly number[], room: number): number[] {
  const given = new Map<number, number>();
  let left = room;
  const byNeed = needed.map((need, at) => ({ need, at })).toSorted((a, b) => a.need - b.need);
  for (const [before, { need, at }] of byNeed.entries()) {
    const share = Math.floor(left / (needed.length - before));
    const taken = Math.min(need, Math.max(leastColumns, share));
    given.set(at, taken);
    left -= taken;
  }
  return needed.map((_need, at) => given.get(at) ?? 0);
}

function rowLines(
  row: readonly Cell[],
  columns: readonly Column[],
  widths: readonly number[],
  paint: Paint,
): string[] {
  const cells = columns.map((column, at) => {
    const text = textOf(row[at] ?? '');
    return column.flexible === true ? wrap(text, widths[at] ?? 0) : [text];
  });
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_line, line) =>
    cells
      .map((lines, at) => {
        const cell = row[at] ?? '';
        const text = lines[line] ?? '';
        const columnsWide = widths[at] ?? 0;
        const padded =
          columns[at]?.right === true
            ? `${' '.repeat(columnsWide - widthOf(text))}${text}`
            : at === cells.length - 1
              ? text
              : padEnd(text, columnsWide);
        return typeof cell === 'string' ? padded : paint(cell.style, padded);
      })
      .join('  ')
      .trimEnd(),
  );
}
