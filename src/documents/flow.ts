import { type Block, openCount } from './block.ts';
import { cleanText } from './clean.ts';
import { openTableRows, type Spans, type TableRows } from './table-rows.ts';

/**
 * Makes blocks of what a walk over an office document meets: paragraphs, items of lists, tables. A paragraph
 * inside of a table's cell is part of the cell; a table inside of a cell becomes the cell's text.
 *
 * @throws bad-document from whichever adds too much text
 */
export interface Flow {
  readonly blocks: Block[];
  /** Of the blocks that follow; undefined where the format has no pages. */
  page: number | undefined;
  heading(text: string, level: number): void;
  paragraph(text: string): void;
  /** @param depth 0 for the items of the outermost list */
  item(text: string, depth: number): void;
  openTable(): void;
  openCell(spans?: Spans): void;
  /** For formats that say it inside of the cell. */
  spanCell(spans: Spans): void;
  closeCell(): void;
  closeRow(isHeader: boolean): void;
  closeTable(): void;
  /** What was read elsewhere. */
  add(blocks: readonly Block[]): void;
}

interface Table {
  readonly rows: TableRows;
  cell: string[];
  spans: Spans;
}

const deepestIndent = 8;

export function openFlow(): Flow {
  const blocks: Block[] = [];
  const tables: Table[] = [];
  const count = openCount();
  let inList = false;
  const push = (block: Block): void => {
    blocks.push(flow.page === undefined ? block : { ...block, page: flow.page });
    inList = false;
  };
  /** Inside of a cell a paragraph is text; outside it is `then`'s. */
  const take = (raw: string, then: (text: string) => void): void => {
    const text = cleanText(raw).trim();
    const cell = tables.at(-1)?.cell;
    if (text === '') return;
    count(text);
    if (cell === undefined) then(text);
    else cell.push(onOneLine(text));
  };
  const flow: Flow = {
    blocks,
    page: undefined,
    heading: (raw, level) => take(raw, (text) => push({ kind: 'heading', text: onOneLine(text), level })),
    paragraph: (raw) => take(raw, (text) => push({ kind: 'text', text })),
    item(raw, depth) {
      take(raw, (text) => {
        const line = `${'  '.repeat(Math.min(depth, deepestIndent))}- ${text}`;
        const before = inList ? blocks.pop() : undefined;
        push({ kind: 'text', text: before === undefined ? line : `${before.text}\n${line}` });
        inList = true;
      });
    },
    openTable: () => void tables.push({ rows: openTableRows(), cell: [], spans: {} }),
    openCell(spans = {}) {
      const table = tables.at(-1);
      if (table !== undefined) Object.assign(table, { cell: [], spans });
    },
    spanCell(spans) {
      const table = tables.at(-1);
      if (table !== undefined) table.spans = { ...table.spans, ...spans };
    },
    closeCell() {
      const table = tables.at(-1);
      table?.rows.cell(table.cell.join(' '), table.spans);
    },
    closeRow: (isHeader) => tables.at(-1)?.rows.closeRow(isHeader),
    add(given) {
      for (const block of given) push(block);
    },
    closeTable() {
      const made = tables.pop()?.rows.toBlock();
      if (made === undefined) return;
      const cell = tables.at(-1)?.cell;
      if (cell === undefined) push(made);
      else cell.push(onOneLine(made.text));
    },
  };
  return flow;
}

const onOneLine = (text: string): string =>
  text.includes('\n')
    ? text
        .split('\n')
        .map((line) => line.trim())
        .join(' ')
    : text;
