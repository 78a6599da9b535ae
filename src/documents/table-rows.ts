import type { Block } from './block.ts';

/** How many columns and rows a cell covers: 1 where nothing is said. */
export interface Spans {
  readonly columns?: number;
  readonly rows?: number;
  /** It goes on with the cell above it. */
  readonly continues?: boolean;
}

/**
 * Rows of a table as lines, `a | b | c`. What stands in a cell that covers several rows is said in each of them,
 * because rows of one table may come into different chunks; in one that covers several columns once.
 */
export interface TableRows {
  cell(text: string, spans: Spans): void;
  closeRow(isHeader: boolean): void;
  /** Undefined when no cell holds anything. */
  toBlock(): Block | undefined;
}

interface Pending {
  readonly text: string;
  /** Rows still to come that it covers. */
  left: number;
}

/** A cell may claim thousands of columns: they are worth nothing, and would cost three characters each. */
const mostColumns = 64;
/** What is longer is no heading of a group of rows, and could be said a million times. */
const longestRepeated = 200;
const repeatable = (text: string): string => (text.length > longestRepeated ? '' : text);

export function openTableRows(): TableRows {
  const lines: string[] = [];
  const pending = new Map<number, Pending>();
  let headerLines = 0;
  let above: readonly string[] = [];
  let row: string[] = [];
  /** The cells from above that cover the next columns. */
  const fill = (): void => {
    for (let from = pending.get(row.length); from !== undefined; from = pending.get(row.length)) {
      if (--from.left === 0) pending.delete(row.length);
      row.push(from.text);
    }
  };
  return {
    cell(text, { columns = 1, rows = 1, continues = false }) {
      fill();
      const at = row.length;
      row.push(continues ? repeatable(above[at] ?? '') : text);
      if (rows > 1) pending.set(at, { text: repeatable(text), left: rows - 1 });
      for (let n = 1; n < Math.min(columns, mostColumns); n++) {
        if (rows > 1) pending.set(row.length, { text: '', left: rows - 1 });
        row.push('');
      }
    },
    closeRow(isHeader) {
      fill();
      const line = rowLine(row);
      if (line !== '') {
        if (isHeader && headerLines === lines.length) headerLines++;
        lines.push(line);
      }
      above = row;
      row = [];
    },
    toBlock() {
      if (lines.length === 0) return undefined;
      // Few tables say which rows are their header, and most have one.
      return tableBlock(lines, Math.max(1, headerLines));
    },
  };
}

/** Without the empty cells at its end; '' when all are. */
export function rowLine(cells: readonly string[]): string {
  const last = cells.findLastIndex((cell) => cell !== '');
  return cells.slice(0, last + 1).join(' | ');
}

/** A header is for the rows below it: a table of nothing else has none. */
export const tableBlock = (lines: readonly string[], headerLines: number): Block => ({
  kind: 'table',
  text: lines.join('\n'),
  ...(headerLines > 0 && headerLines < lines.length && { headerLines }),
});
