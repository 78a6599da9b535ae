import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { kindOfFormat, showNumber } from '../../src/documents/xlsx-numbers.ts';
import { odfOf, xlsxOf } from '../fixtures/documents/office.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());

const row = (number: number, cells: Readonly<Record<string, string>>): string =>
  `<row r="${number}">${Object.entries(cells)
    .map(([column, inner]) => `<c r="${column}${number}" ${inner}</c>`)
    .join('')}</row>`;
const text = (value: string): string => `t="inlineStr"><is><t>${value}</t></is>`;
const number = (value: number, style = 0): string => `s="${style}"><v>${value}</v>`;
const sheetData = (...rows: readonly string[]): string => `<sheetData>${rows.join('')}</sheetData>`;
const styles = `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd;@"/></numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="10"/></cellXfs></styleSheet>`;

test('a sheet is a section of rows: texts, values of formulas, dates as dates', async () => {
  const xml = sheetData(
    row(1, { A: text('Drug'), B: text('Since'), C: text('Share'), D: text('Dose') }),
    row(2, {
      A: 't="s"><v>1</v>',
      B: number(45352, 1),
      C: number(0.125, 2),
      D: '><f>0.1+0.2</f><v>0.30000000000000004</v>',
    }),
    row(3, { A: 't="b"><v>1</v>', B: 't="e"><v>#N/A</v>', D: 't="str"><f>A1</f><v>as text</v>' }),
  );
  const document = await parsing.good(
    'a.xlsx',
    xlsxOf([{ name: 'Doses', xml }], {
      'xl/styles.xml': styles,
      'xl/sharedStrings.xml':
        '<sst><si><t>unused</t></si><si><r><t>Ace</t></r><r><t>tyl_x000D_</t></r><rPh><t>reading</t></rPh></si></sst>',
    }),
  );
  assert.equal(
    textOf(document),
    'Doses\n\nDrug | Since | Share | Dose\nAcetyl | 2024-03-01 | 12.5% | 0.3\nTRUE | #N/A |  | as text',
  );
  assert.deepEqual(document.chunks[0]?.headings, ['Doses']);
  assert.equal(document.title, 'a.xlsx');
});

test('an empty row begins another table; a merged cell is said in each of its rows; far columns cost nothing', async () => {
  const xml = `<dimension ref="A1:XFD1048576"/>${sheetData(
    row(1, { A: text('Report') }),
    row(2, { A: text('Group'), XFD: text('Value') }),
    row(3, { A: text('x'), XFD: number(1) }),
    row(4, { XFD: number(2) }),
    row(1048576, { B: text('far below') }),
  )}<mergeCells><mergeCell ref="A3:A4"/></mergeCells>`;
  const document = await parsing.good('b.xlsx', xlsxOf([{ name: 'S', xml }]));
  assert.equal(textOf(document), 'S\n\nReport\nGroup | Value\nx | 1\nx | 2\n\nfar below');
});

test('a long table repeats title and names of columns in each chunk, and divides no row', async () => {
  const rows = Array.from({ length: 2500 }, (_, n) => row(n + 3, { A: text(`name ${n}`), B: number(n) }));
  const xml = sheetData(
    row(1, { A: text('All of them') }),
    row(2, { A: text('Name'), B: text('No') }),
    ...rows,
  );
  const { chunks } = await parsing.good('long.xlsx', xlsxOf([{ name: 'S', xml }]));
  const seen = new Set<string>();
  for (const chunk of chunks) {
    assert.match(chunk.text, /^(?:S\n\n)?All of them\nName \| No\nname/);
    for (const line of chunk.text.match(/^name (\d+) \| \1$/gm) ?? []) seen.add(line);
  }
  assert.equal(seen.size, 2500);
});

test('hidden sheets are read, and told', async () => {
  const xml = sheetData(row(1, { A: text('secret') }));
  const document = await parsing.good(
    'c.xlsx',
    xlsxOf([
      { name: 'Open', xml },
      { name: 'Shut', xml, state: 'veryHidden' },
    ]),
  );
  assert.equal(textOf(document), 'Open\n\nsecret\n\nShut\n\nsecret');
  assert.deepEqual(document.warnings, ['hidden sheets are read: Shut']);
});

test('formats of numbers tell dates, times and percentages from numbers', () => {
  for (const [code, kind] of [
    ['General', 'number'],
    ['#,##0.00" days"', 'number'],
    ['[$-409]d\\-mmm\\-yy;@', 'date'],
    ['m/d/yyyy h:mm', 'date-time'],
    ['mm:ss', 'time'],
    ['[h]:mm:ss', 'duration'],
    ['0.00%', 'percent'],
    ['[Red]0.0', 'number'],
    ['mmm', 'date'],
  ] as const)
    assert.equal(kindOfFormat(code), kind, code);
});

test('days are counted as the workbook counts them, with the 29th of February 1900 that never was', () => {
  assert.equal(showNumber('1', 'date', false), '1900-01-01');
  assert.equal(showNumber('61', 'date', false), '1900-03-01');
  assert.equal(showNumber('0', 'date', true), '1904-01-01');
  assert.equal(showNumber('45352.5208333333', 'date-time', false), '2024-03-01 12:30:00');
  assert.equal(showNumber('0.75', 'time', false), '18:00:00');
  assert.equal(showNumber('1.5', 'duration', false), '36:00:00');
  assert.equal(showNumber('-1', 'date', false), '-1');
  assert.equal(showNumber('1e300', 'date', false), '1e300');
});

test('sheets of OpenDocument are read alike, and claims of a million rows cost nothing', async () => {
  const cell = (value: string, attributes = 'office:value-type="string"'): string =>
    `<table:table-cell ${attributes}><office:annotation><text:p>no</text:p></office:annotation><text:p>${value}</text:p></table:table-cell>`;
  const body = `<table:table table:name="Plan" table:style-name="ta2">
    <table:table-row>${cell('Who')}${cell('When')}${cell('Value')}</table:table-row>
    <table:table-row>${cell('Eva', 'office:value-type="string" table:number-rows-spanned="2"')}${cell('01.03.24', 'office:value-type="date" office:date-value="2024-03-01T00:00:00"')}${cell('7', 'office:value-type="float" office:value="7"')}</table:table-row>
    <table:table-row><table:covered-table-cell/>${cell('x', 'office:value-type="float" table:number-columns-repeated="2"')}<table:table-cell table:number-columns-repeated="16000"/></table:table-row>
    <table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>`;
  const hidden =
    '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>';
  const document = await parsing.good('a.ods', odfOf('spreadsheet', body, hidden));
  assert.equal(textOf(document), 'Plan\n\nWho | When | Value\nEva | 2024-03-01 | 7\nEva | x | x');
  assert.deepEqual(document.warnings, ['hidden sheets are read: Plan']);
});
