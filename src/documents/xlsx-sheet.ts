import type { Archive } from './archive.ts';
import type { Block } from './block.ts';
import { cleanLine } from './clean.ts';
import { openSheetRows, type SheetCell } from './sheet-rows.ts';
import { type NumberKind, showNumber } from './xlsx-numbers.ts';
import { readXml, type XmlAttributes } from './xml.ts';

/** What the cells of a workbook refer to. */
export interface CellSources {
  readonly strings: readonly string[];
  readonly kinds: readonly NumberKind[];
  readonly since1904: boolean;
  /** Of all sheets: a million cells may refer to one long text. */
  readonly count: (text: string) => void;
}

/** Cell and row that are being read. What the sheet says about its own size is not believed, not even read. */
interface Walk {
  row: number;
  cells: SheetCell[];
  column: number;
  place: string;
  type: string;
  style: number;
  value: string;
  isValue: boolean;
}

/** The tables of a sheet. */
export async function readSheet(archive: Archive, part: string, sources: CellSources): Promise<Block[]> {
  const merges = await readMerges(archive.pieces(part));
  const rows = openSheetRows(sources.count);
  const walk: Walk = {
    row: 0,
    cells: [],
    column: -1,
    place: '',
    type: '',
    style: 0,
    value: '',
    isValue: false,
  };
  await readXml(archive.pieces(part), {
    open: (name, attributes) => open(walk, name, attributes),
    close(name) {
      if (name === 'v' || name === 't') walk.isValue = false;
      else if (name === 'c') closeCell(walk, sources, merges);
      else if (name === 'row') rows.row({ number: walk.row, cells: walk.cells });
    },
    text: (text) => (walk.value += walk.isValue ? text : ''),
  });
  return rows.close();
}

function open(walk: Walk, name: string, attributes: XmlAttributes): void {
  if (name === 'row') {
    walk.row = Number(attributes['r']) || walk.row + 1;
    walk.cells = [];
    walk.column = -1;
  } else if (name === 'c') {
    walk.place = attributes['r'] ?? '';
    const given = columnOf(walk.place);
    walk.column = given >= 0 ? given : walk.column + 1;
    walk.type = attributes['t'] ?? 'n';
    walk.style = Number(attributes['s']) || 0;
    walk.value = '';
  } else if (name === 'v' || name === 't') walk.isValue = true;
}

/** Number of the column of `AB12`; -1 without letters. */
function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{0,3}/u.exec(reference)?.[0] ?? '')
    column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function closeCell(walk: Walk, sources: CellSources, merges: ReadonlyMap<string, number>): void {
  const { column, place, type } = walk;
  const text = cleanLine(shown(walk, sources));
  if (text === '') return;
  sources.count(text);
  const isText = type !== 'n' && type !== 'b' && type !== 'd';
  walk.cells.push({ column, text, isText, rows: merges.get(place) ?? 1 });
}

function shown({ type, value, style }: Walk, { strings, kinds, since1904 }: CellSources): string {
  if (value === '') return '';
  switch (type) {
    case 's':
      return unescape(strings[Number(value)] ?? '');
    case 'n':
      return showNumber(value, kinds[style] ?? 'number', since1904);
    case 'b':
      return value === '1' ? 'TRUE' : 'FALSE';
    case 'd':
      return value.replace('T', ' ');
    default:
      return unescape(value);
  }
}

/** Characters that XML cannot hold are written `_x000D_`. */
const unescape = (text: string): string =>
  text.includes('_x')
    ? text.replace(/_x([0-9A-F]{4})_/giu, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    : text;

const mostMerges = 100_000;

/**
 * How many rows each merged cell covers, by its place (`B7`). They stand behind the rows that they are about: the
 * sheet is searched for them before it is read.
 */
async function readMerges(sheet: AsyncIterable<Uint8Array>): Promise<Map<string, number>> {
  const merges = new Map<string, number>();
  let rest = '';
  for await (const piece of sheet) {
    const text = rest + Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    for (const match of text.matchAll(/mergeCell\s[^<>]{0,100}?ref="([A-Z]{1,3}(\d+)):[A-Z]{1,3}(\d+)"/gu)) {
      const [, place = '', from, to] = match;
      const rows = Number(to) - Number(from) + 1;
      if (rows > 1 && merges.size < mostMerges) merges.set(place, rows);
    }
    const start = text.lastIndexOf('<');
    rest = text.length - start < longestElement ? text.slice(start) : '';
  }
  return merges;
}

/** Of those that merge cells. */
const longestElement = 200;
