import type { Block } from './block.ts';
import { rowLine, tableBlock } from './table-rows.ts';

export interface SheetCell {
  /** From 0. */
  readonly column: number;
  readonly text: string;
  /** Not a number or a date. */
  readonly isText: boolean;
  /** How many rows it covers, where they are merged. */
  readonly rows: number;
}

export interface SheetRow {
  /** Its place in the sheet. */
  readonly number: number;
  readonly cells: readonly SheetCell[];
}

/**
 * Makes tables of a sheet's rows: each is rows that follow each other without an empty one between them. Columns
 * that a table does not use are left out, so that a cell at the far end of the sheet costs nothing.
 */
export interface SheetRows {
  row(row: SheetRow): void;
  close(): Block[];
}

/** Rows are made into text so many at a time: a million rows of cells would need a gigabyte. */
const rowsAtOnce = 1000;
/** In a table with more columns, empty cells are left out altogether. */
const mostColumns = 256;
/** A title above the names of the columns is part of the header, and so is a line below the title. */
const mostTitles = 2;

export function openSheetRows(count: (text: string) => void): SheetRows {
  const covered = openCovering(count);
  const blocks: Block[] = [];
  let rows: SheetRow[] = [];
  let before = -1;
  let header: SheetRow[] = [];
  let state: 'in-header' | 'has-header' | 'none' = 'none';
  const flush = (): void => {
    if (rows.length > 0) blocks.push(toTable(rows, state === 'has-header' ? header.length : 0));
    rows = [];
  };
  const begin = (): void => {
    flush();
    header = [];
    state = 'in-header';
  };
  const readHeader = (row: SheetRow): void => {
    header.push(row);
    if (isHeader(row)) state = 'has-header';
    else if (row.cells.length > 1 || header.length > mostTitles) state = 'none';
  };
  return {
    row(given) {
      const row = covered(given);
      if (row.cells.length === 0) return;
      if (row.number !== before + 1) begin();
      before = row.number;
      if (state === 'in-header') readHeader(row);
      else if (rows.length >= rowsAtOnce) {
        flush();
        if (state === 'has-header') rows.push(...header);
      }
      rows.push(row);
    },
    close() {
      flush();
      return blocks;
    },
  };
}

/** Several texts and no number. */
const isHeader = ({ cells }: SheetRow): boolean => cells.length > 1 && cells.every((cell) => cell.isText);

function toTable(rows: readonly SheetRow[], headerLines: number): Block {
  const columns = [...new Set(rows.flatMap(({ cells }) => cells.map(({ column }) => column)))].sort(
    (a, b) => a - b,
  );
  const places = new Map(columns.map((column, place) => [column, place]));
  const lines = rows.map(({ cells }) => {
    if (columns.length > mostColumns) return rowLine(cells.map(({ text }) => text));
    const line = Array.from(columns, () => '');
    for (const { column, text } of cells) line[places.get(column) ?? 0] = text;
    return rowLine(line);
  });
  return tableBlock(lines, headerLines);
}

/** What is longer is no heading of a group of rows; more groups beside each other are no table. */
const longestRepeated = 200;
const mostOpen = 256;

/** Says the text of a merged cell in each row that it covers: rows of one table may come into different chunks. */
function openCovering(count: (text: string) => void): (row: SheetRow) => SheetRow {
  let open: { readonly to: number; readonly cell: SheetCell }[] = [];
  return (row) => {
    if (row.cells.length === 0) return row;
    open = open.filter(({ to }) => to >= row.number);
    const before = open.map(({ cell }) => cell);
    for (const cell of row.cells) {
      if (cell.rows > 1 && cell.text.length <= longestRepeated && open.length < mostOpen)
        open.push({ to: row.number + cell.rows - 1, cell });
    }
    if (before.length === 0) return row;
    const own = new Set(row.cells.map(({ column }) => column));
    const added = before.filter(({ column }) => !own.has(column));
    for (const { text } of added) count(text);
    return { ...row, cells: [...row.cells, ...added].sort((a, b) => a.column - b.column) };
  };
}
