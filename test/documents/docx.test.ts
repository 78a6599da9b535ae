import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { docxOf, paragraph, word } from '../fixtures/documents/office.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';
import { zipOf } from '../fixtures/documents/zip.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());
const docx = (body: string, parts?: Parameters<typeof docxOf>[1]) =>
  parsing.good('a.docx', docxOf(body, parts));

const styles = word(
  'styles',
  `<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
   <w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
   <w:style w:type="paragraph" w:styleId="Eigene"><w:name w:val="Own"/><w:basedOn w:val="berschrift1"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
   <w:style w:type="paragraph" w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>
   <w:style w:type="paragraph" w:styleId="Liste"><w:name w:val="List Bullet"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>`,
);
const styled = (text: string, style: string): string => paragraph(text, `<w:pStyle w:val="${style}"/>`);

test('headings are found by the built-in names of styles, whatever the language of their ids', async () => {
  const document = await docx(
    styled('The trial', 'Titel') +
      styled('Methods 3', 'Verzeichnis1') +
      styled('Methods', 'berschrift1') +
      styled('Doses', 'Eigene') +
      paragraph('5 mg a day.'),
    { 'word/styles.xml': styles },
  );
  assert.equal(document.title, 'The trial');
  assert.equal(textOf(document), 'The trial\n\nMethods\n\nDoses\n\n5 mg a day.');
  const small = { targetTokens: 16, overlapTokens: 0 };
  const long = docxOf(
    styled('Methods', 'berschrift1') + styled('Doses', 'Eigene') + paragraph('One two three. '.repeat(9)),
    { 'word/styles.xml': styles },
  );
  assert.deepEqual((await parsing.good('b.docx', long, small)).chunks.at(-1)?.headings, ['Methods', 'Doses']);
});

test('deleted text, moved-away text, comments and field codes are no text; inserted text is', async () => {
  const document = await docx(
    `<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>
     <w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom><w:ins><w:r><w:t> inserted</w:t></w:r></w:ins>
     <w:r><w:fldChar/><w:instrText>PAGE</w:instrText></w:r><w:r><w:commentReference w:id="0"/></w:r></w:p>`,
    { 'word/comments.xml': word('comments', paragraph('a comment')) },
  );
  assert.equal(textOf(document), 'kept inserted');
});

test('lists are indented lines of one block; tabs, breaks and hyphens are characters, tab stops are not', async () => {
  const item = (text: string, depth: number): string =>
    paragraph(text, `<w:numPr><w:ilvl w:val="${depth}"/><w:numId w:val="1"/></w:numPr>`);
  const document = await docx(
    styled('styled', 'Liste') +
      item('first', 0) +
      item('inner', 1) +
      `<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>`,
    { 'word/styles.xml': styles },
  );
  assert.equal(textOf(document), '- styled\n- first\n  - inner\n\na\tb\nc-d');
});

test('footnotes follow the paragraph that refers to them', async () => {
  const footnotes = word(
    'footnotes',
    `<w:footnote w:type="separator" w:id="0">${paragraph('---')}</w:footnote>
     <w:footnote w:id="7">${paragraph('See the')}${paragraph('appendix.')}</w:footnote>`,
  );
  const document = await docx(
    `<w:p><w:r><w:t>Text</w:t><w:footnoteReference w:id="7"/><w:t> goes on.</w:t></w:r></w:p>${paragraph('Next.')}`,
    { 'word/footnotes.xml': footnotes },
  );
  assert.equal(textOf(document), 'Text[^1] goes on.\n\n[^1]: See the appendix.\n\nNext.');
});

test('a text box is read once, and equations as their characters', async () => {
  const box = `<w:txbxContent>${paragraph('In the box.')}</w:txbxContent>`;
  const document = await docx(
    `<w:p><w:r><w:t>Around </w:t><mc:AlternateContent><mc:Choice Requires="wps">${box}</mc:Choice><mc:Fallback>${box}</mc:Fallback></mc:AlternateContent></w:r><m:oMath><m:r><m:t>E=mc²</m:t></m:r></m:oMath></w:p>`,
  );
  assert.equal(textOf(document), 'In the box.\n\nAround E=mc²');
});

const cell = (text: string, properties = ''): string =>
  `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(text)}</w:tc>`;
const row = (...cells: readonly string[]): string => `<w:tr>${cells.join('')}</w:tr>`;

test('rows are lines; a merged cell is said in each row that it covers, and keeps the columns in their places', async () => {
  const inner = `<w:tc><w:tbl>${row(cell('x'), cell('y'))}</w:tbl>${paragraph('')}</w:tc>`;
  const document = await docx(
    `<w:tbl>${row(cell('Drug'), cell('Doses', '<w:gridSpan w:val="2"/>'))}${row(
      cell('A', '<w:vMerge w:val="restart"/>'),
      cell('low'),
      cell('5 mg'),
    )}${row(cell('', '<w:vMerge/>'), cell('high'), inner)}</w:tbl>`,
  );
  assert.equal(textOf(document), 'Drug | Doses\nA | low | 5 mg\nA | high | x | y');
});

test('a table that is cut says its header in each part, and no row is divided', async () => {
  const rows = Array.from({ length: 60 }, (_, n) => row(cell(`drug ${n}`), cell(`${n} mg`)));
  const body = `<w:tbl>${row(cell('Drug'), cell('Dose'))}${rows.join('')}</w:tbl>`;
  const { chunks } = await parsing.good('table.docx', docxOf(body), { targetTokens: 64, overlapTokens: 8 });
  assert.ok(chunks.length > 4);
  const lines = new Set<string>();
  for (const chunk of chunks) {
    const [first, ...others] = chunk.text.split('\n');
    assert.equal(first, 'Drug | Dose');
    for (const line of others) {
      assert.match(line, /^drug (\d+) \| \1 mg$/);
      lines.add(line);
    }
  }
  assert.equal(lines.size, 60);
});

test('offsets are code points of the text, also behind characters outside of the basic plane', async () => {
  const body = paragraph('😀 one. ').repeat(30);
  const { chunks } = await parsing.good('emoji.docx', docxOf(body), { targetTokens: 32, overlapTokens: 0 });
  const whole = Array.from({ length: 30 }, () => '😀 one.').join('\n\n');
  assert.ok(chunks.length > 2);
  for (const { start, end, text } of chunks) assert.equal(Array.from(whole).slice(start, end).join(''), text);
});

test('a file of another producer, with prefixes of its own, "strict" and in UTF-16, is read alike', async () => {
  const xml = `\ufeff<?xml version="1.0" encoding="UTF-16"?><x:document xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main"><x:body><x:p><x:r><x:t>Grüße &amp; more</x:t></x:r></x:p></x:body></x:document>`;
  const document = await parsing.good(
    'strict.bin',
    zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': Buffer.from(xml, 'utf16le') }),
  );
  assert.equal(textOf(document), 'Grüße & more');
});
