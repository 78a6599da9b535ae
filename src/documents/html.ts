import { Parser } from 'htmlparser2';
import { RagError } from '../errors.ts';
import { type Block, firstHeading, type ParsedText } from './block.ts';
import { cleanText } from './clean.ts';
import { openTableRows, type Spans, type TableRows } from './table-rows.ts';

/**
 * HTML read as a stream of tags rather than as a tree: a third of the CPU of building a DOM (0.15 against
 * 0.48 s for 8 MB of documentation pages), and no recursion that deep nesting could exhaust. Nothing that the
 * page names is fetched.
 */

const dropped = new Set(
  'script style nav noscript template svg annotation annotation-xml iframe object audio video canvas button select datalist'.split(
    ' ',
  ),
);
const breaking = new Set(
  (
    'address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form ' +
    'head header hr html legend li main menu ol p search section summary title ul'
  ).split(' '),
);

/**
 * Pages that never close what they open reach thousands. The parser's work for an element grows with the depth:
 * a million levels, 5 MB, took it four minutes.
 */
const deepest = 30_000;

interface Cell {
  readonly text: string;
  readonly spans: Spans;
  readonly isHeader: boolean;
}

interface Table {
  rows: TableRows;
  /** Of the row we are in. */
  cells: Cell[];
  /** Of the cell we are in. */
  spans: Spans;
  /** It holds headings, code or tables: it lays out the page, and its cells are read as the page itself. */
  isLayout: boolean;
}

/** Where the walk is. One object per document; the functions below are its transitions. */
interface Walk {
  readonly blocks: Block[];
  readonly tables: Table[];
  /** Text since the last break, white space collapsed outside of `pre`. */
  inline: string;
  title: string | undefined;
  language: string | undefined;
  /** Inside an element that is left out: its name, and how many of that name are open. */
  skipped: { readonly name: string; readonly depth: number } | undefined;
  preDepth: number;
  /** The last block is a list item, to which the next one is joined. */
  inList: boolean;
}

/**
 * @param source cleaned; character references in it are decoded, and the result is cleaned again
 * @param dialect in XHTML an element may be closed where it is opened: `<title/>`, `<script src="x"/>`
 */
export function parseHtml(source: string, dialect: 'html' | 'xhtml' = 'html'): ParsedText {
  const walk: Walk = {
    blocks: [],
    tables: [],
    inline: '',
    title: undefined,
    language: undefined,
    skipped: undefined,
    preDepth: 0,
    inList: false,
  };
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (++depth > deepest) throw new RagError('bad-document', 'its HTML is nested too deeply');
        open(walk, name, attributes);
      },
      onclosetag(name) {
        depth--;
        close(walk, name);
      },
      ontext: (text) => {
        if (walk.skipped === undefined) walk.inline += walk.preDepth > 0 ? text : text.replace(/\s+/gu, ' ');
      },
    },
    { recognizeSelfClosing: dialect === 'xhtml' },
  );
  parser.end(source);
  flush(walk, 'text');
  const { blocks, title = firstHeading(blocks), language } = walk;
  return language === undefined ? { title, blocks } : { title, blocks, language };
}

const headingLevel = (name: string): number => (/^h[1-6]$/u.test(name) ? Number(name[1]) : 0);
const cellTable = (walk: Walk): Table | undefined => {
  const table = walk.tables.at(-1);
  return table === undefined || table.isLayout ? undefined : table;
};

function open(walk: Walk, name: string, attributes: Readonly<Record<string, string>>): void {
  const { skipped } = walk;
  if (skipped !== undefined) {
    if (name === skipped.name) walk.skipped = { name, depth: skipped.depth + 1 };
    return;
  }
  // Older generators mark their navigation so, in a `div`.
  const formula = name === 'math' ? attributes['alttext'] : undefined;
  if (dropped.has(name) || attributes['role'] === 'navigation' || formula !== undefined) {
    // LaTeX, as a rule; without it a formula is read as its characters.
    walk.inline += formula ?? '';
    walk.skipped = { name, depth: 1 };
    return;
  }
  if (name === 'html') {
    walk.language ??= attributes['lang'] ?? attributes['xml:lang'];
  } else if (name === 'br') {
    walk.inline += cellTable(walk) === undefined ? '\n' : ' ';
  } else if (name === 'table' || name === 'pre' || headingLevel(name) > 0) {
    makeLayout(walk);
    flush(walk, 'text');
    if (name === 'table') walk.tables.push({ rows: openTableRows(), cells: [], spans: {}, isLayout: false });
    if (name === 'pre') walk.preDepth++;
  } else if (name === 'td' || name === 'th') {
    openCell(walk, attributes);
  } else if (breaking.has(name)) {
    breakLine(walk);
  }
}

function close(walk: Walk, name: string): void {
  const { skipped } = walk;
  if (skipped !== undefined) {
    if (name !== skipped.name) return;
    walk.skipped = skipped.depth === 1 ? undefined : { name, depth: skipped.depth - 1 };
    return;
  }
  const level = headingLevel(name);
  if (level > 0) flush(walk, 'heading', level);
  else if (name === 'title') takeTitle(walk);
  else if (name === 'pre') closePre(walk);
  else if (name === 'li') closeItem(walk);
  else if (name === 'td' || name === 'th') closeCell(walk, name === 'th');
  else if (name === 'tr') closeRow(walk);
  else if (name === 'table') closeTable(walk);
  else if (breaking.has(name)) breakLine(walk);
}

/** A block ends here; inside a cell it is only a space, since a row is one line. */
function breakLine(walk: Walk): void {
  if (cellTable(walk) === undefined) flush(walk, 'text');
  else walk.inline += ' ';
}

function flush(walk: Walk, kind: Block['kind'], level?: number): void {
  const text = tidy(walk.inline);
  walk.inline = '';
  if (text === '') return;
  walk.inList = false;
  walk.blocks.push({
    kind,
    text: kind === 'heading' ? text.replaceAll('\n', ' ') : text,
    ...(level && { level }),
  });
}

const tidy = (inline: string): string =>
  cleanText(inline)
    .split('\n')
    .map((line) => line.replace(/ {2,}/gu, ' ').trim())
    .join('\n')
    .trim();

function takeTitle(walk: Walk): void {
  const title = tidy(walk.inline).replaceAll('\n', ' ');
  walk.inline = '';
  if (title !== '') walk.title ??= title;
}

function closePre(walk: Walk): void {
  walk.preDepth--;
  const text = cleanText(walk.inline)
    .replace(/^\s*\n/u, '')
    .trimEnd();
  walk.inline = '';
  walk.inList = false;
  if (text !== '') walk.blocks.push({ kind: 'code', text });
}

/** Items of a list are lines of one block: one by one they would be too short to mean anything. */
function closeItem(walk: Walk): void {
  if (cellTable(walk) !== undefined) return breakLine(walk);
  const item = tidy(walk.inline);
  walk.inline = '';
  if (item === '') return;
  const last = walk.inList ? walk.blocks.pop() : undefined;
  const text = last === undefined ? `- ${item}` : `${last.text}\n- ${item}`;
  walk.blocks.push({ kind: 'text', text });
  walk.inList = true;
}

function openCell(walk: Walk, { colspan, rowspan }: Readonly<Record<string, string>>): void {
  const table = walk.tables.at(-1);
  if (table !== undefined)
    table.spans = { columns: Number.parseInt(colspan ?? '1', 10), rows: Number.parseInt(rowspan ?? '1', 10) };
}

function closeCell(walk: Walk, isHeader: boolean): void {
  const table = cellTable(walk);
  if (table === undefined) return flush(walk, 'text');
  table.cells.push({ text: tidy(walk.inline).replaceAll('\n', ' '), spans: table.spans, isHeader });
  walk.inline = '';
}

function closeRow(walk: Walk): void {
  const table = cellTable(walk);
  if (table === undefined || table.cells.length === 0) return;
  for (const { text, spans } of table.cells) table.rows.cell(text, spans);
  table.rows.closeRow(table.cells.every(({ isHeader }) => isHeader));
  table.cells = [];
}

function closeTable(walk: Walk): void {
  closeRow(walk);
  flush(walk, 'text'); // what stood outside of any cell
  const table = walk.tables.pop();
  if (table !== undefined) pushRows(walk, table);
}

function pushRows(walk: Walk, table: Table): void {
  const block = table.rows.toBlock();
  if (block === undefined) return;
  walk.inList = false;
  walk.blocks.push(block);
  table.rows = openTableRows();
}

/** The tables we are in turn out to lay out the page: what was read of them becomes blocks. */
function makeLayout(walk: Walk): void {
  const table = cellTable(walk);
  if (table === undefined) return;
  const inline = walk.inline;
  pushRows(walk, table);
  for (const { text } of table.cells) {
    walk.inline = text;
    flush(walk, 'text');
  }
  table.cells = [];
  table.isLayout = true;
  walk.inline = inline;
}
