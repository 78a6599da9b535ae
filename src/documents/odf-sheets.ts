import type { Archive } from './archive.ts';
import { type Block, openCount, type ParsedText } from './block.ts';
import { cleanLine } from './clean.ts';
import { type HiddenStyles, odfLeft, odfSigns, openHiddenStyles } from './odf-parts.ts';
import { openSheetRows, type SheetCell, type SheetRows } from './sheet-rows.ts';
import { leavingOut, readXml, type XmlAttributes } from './xml.ts';

interface Walk {
  readonly blocks: Block[];
  readonly hidden: string[];
  readonly styles: HiddenStyles;
  readonly count: (text: string) => void;
  sheet: { readonly name: string; readonly isHidden: boolean; readonly rows: SheetRows } | undefined;
  row: number;
  cells: SheetCell[];
  column: number;
  cell: XmlAttributes;
  text: string;
  isText: boolean;
}

/**
 * Spreadsheets: a sheet is a section under its name, its rows are tables of what the cells show, but dates as
 * they are stored. A row that is repeated is said once: a sheet may claim a million of them.
 */
export async function parseOdfSheets(archive: Archive): Promise<Pick<ParsedText, 'blocks' | 'warnings'>> {
  const walk: Walk = {
    blocks: [],
    hidden: [],
    styles: openHiddenStyles(),
    count: openCount(),
    sheet: undefined,
    row: 0,
    cells: [],
    column: 0,
    cell: {},
    text: '',
    isText: false,
  };
  await readXml(
    archive.pieces('content.xml'),
    leavingOut(odfLeft, {
      open: (name, attributes) => open(walk, name, attributes),
      close: (name) => close(walk, name),
      text: (text) => void (walk.text += walk.isText ? text : ''),
    }),
  );
  const { blocks, hidden } = walk;
  return { blocks, warnings: hidden.length > 0 ? [`hidden sheets are read: ${hidden.join(', ')}`] : [] };
}

function open(walk: Walk, name: string, attributes: XmlAttributes): void {
  if (name === 'table:table') {
    const rows = openSheetRows(walk.count);
    walk.sheet = {
      name: cleanLine(attributes['table:name'] ?? ''),
      isHidden: walk.styles.has(attributes['table:style-name']),
      rows,
    };
    walk.row = 0;
  } else if (name === 'table:table-row') {
    walk.cells = [];
    walk.column = 0;
  } else if (name === 'table:table-cell') {
    walk.cell = attributes;
    walk.text = '';
  } else if (name === 'table:covered-table-cell') {
    walk.column += Number(attributes['table:number-columns-repeated']) || 1;
  } else if (name === 'text:p') {
    walk.isText = true;
    walk.text += walk.text === '' ? '' : ' ';
  } else if (walk.isText) walk.text += odfSigns(name, attributes);
  else walk.styles.read(name, attributes);
}

function close(walk: Walk, name: string): void {
  if (name === 'text:p') walk.isText = false;
  else if (name === 'table:table-cell') closeCell(walk);
  else if (name === 'table:table-row') walk.sheet?.rows.row({ number: ++walk.row, cells: walk.cells });
  else if (name === 'table:table') closeSheet(walk);
}

/** Of equal cells beside each other; a sheet may claim 16,384. */
const mostRepeated = 64;

function closeCell(walk: Walk): void {
  const { cell, cells, column } = walk;
  const type = cell['office:value-type'];
  const date = type === 'date' ? cell['office:date-value'] : undefined;
  const shown = date?.replace(/T00:00:00(?:\.0+)?$/u, '').replace('T', ' ') ?? walk.text;
  const text = cleanLine(shown);
  const repeat = Number(cell['table:number-columns-repeated']) || 1;
  const rows = Number(cell['table:number-rows-spanned']) || 1;
  for (let n = 0; n < (text === '' ? 0 : Math.min(repeat, mostRepeated)); n++) {
    walk.count(text);
    cells.push({ column: column + n, text, isText: type === 'string' || type === undefined, rows });
  }
  walk.column += repeat;
}

function closeSheet(walk: Walk): void {
  const { sheet } = walk;
  const tables = sheet?.rows.close() ?? [];
  walk.sheet = undefined;
  if (sheet === undefined || tables.length === 0) return;
  if (sheet.isHidden) walk.hidden.push(sheet.name);
  walk.blocks.push({ kind: 'heading', text: sheet.name, level: 1 }, ...tables);
}
