import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import {
  docxOf,
  epubOf,
  odfOf,
  paragraph,
  pptxOf,
  shape,
  word,
  xlsxOf,
} from '../fixtures/documents/office.ts';
import { goodFiles } from '../fixtures/documents/broken.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';
import { bloatedPdf, pdfOf, repeatedPdf } from '../fixtures/documents/pdf.ts';
import { type ZipEntry, zipOf } from '../fixtures/documents/zip.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());
const mebibyte = 1024 * 1024;

/** A good document with further parts. */
const withParts = (...entries: readonly ZipEntry[]): Buffer =>
  zipOf([
    { name: '[Content_Types].xml', data: '<Types/>' },
    { name: 'word/document.xml', data: word('document', paragraph('fine')) },
    ...entries,
  ]);

/** Seconds of CPU that it took. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return process.cpuUsage(before).user / 1e6;
}

test('an archive bomb is refused by its directory, before anything is unpacked', async () => {
  const noise = randomBytes(3 * mebibyte);
  const large = (n: number): ZipEntry => ({ name: `${n}`, data: noise, claimedSize: 500 * mebibyte });
  const copies = Array.from({ length: 20 }, (_, n) => ({ name: `${n}`, data: '', overlaps: true }));
  const parts = Array.from({ length: 20_001 }, (_, n) => ({ name: `${n}`, data: '' }));
  const bombs = [
    [withParts({ name: 'x', data: noise, claimedSize: 600 * mebibyte }), /a part unpacks to 600 MiB/],
    [withParts({ name: 'x', data: Buffer.alloc(20 * mebibyte) }), /a part unpacks to 1\d\d\d times its size/],
    [withParts(...[1, 2, 3, 4, 5].map(large)), /it unpacks to more than 2048 MiB/],
    [withParts(...parts), /it has 20003 parts/],
    [zipOf([{ name: 'kernel', data: noise.subarray(0, 9999) }, ...copies]), /its parts overlap/],
  ] as const;
  const cpu = await cpuOf(async () => {
    for (const [bytes, reason] of bombs) {
      const said = await parsing.reason('bomb.docx', bytes);
      assert.match(said, /looks like an archive bomb/);
      assert.match(said, reason);
    }
  });
  assert.ok(cpu < 3, `${cpu} s`);
});

test('a part that unpacks to more than its directory says, or to something else, is damage', async () => {
  const data = word('document', paragraph('x '.repeat(5000)));
  const types = { name: '[Content_Types].xml', data: '<Types/>' };
  const main = { name: 'word/document.xml', data };
  assert.match(
    await parsing.reason('a.docx', zipOf([types, { ...main, claimedSize: 10 }])),
    /damaged.*too many/,
  );
  assert.match(await parsing.reason('b.docx', zipOf([types, { ...main, claimedSum: 7 }])), /checksum/);
  assert.match(await parsing.reason('c.docx', zipOf([types, { ...main, isEncrypted: true }])), /encrypted/);
  assert.match(
    await parsing.reason('d.docx', withParts({ name: '../../escape', data: 'x' })),
    /damaged.*path/,
  );
});

test('archives in archives are not opened, and archives of something else are named so', async () => {
  const inner = zipOf({ 'bomb.txt': 'x' });
  assert.match(await parsing.reason('42.zip', zipOf({ 'lib 0.zip': inner })), /an archive, not a document/);
  assert.match(await parsing.reason('empty.docx', zipOf([])), /an archive, not a document/);
});

const archives = ['a.docx', 'a.pptx', 'a.xlsx', 'a.odt', 'a.epub', 'a.pdf'];

test('whatever is cut off, wherever, fails with a reason, and is read under any name when it is whole', async () => {
  for (const name of archives) {
    const whole = Buffer.from(goodFiles[name] ?? '');
    assert.match(textOf(await parsing.good(`${name}.txt`, whole)), /fine/);
    // What a PDF has lost of its end it may do without.
    for (const share of name === 'a.pdf' ? [0.1, 0.5] : [0.1, 0.5, 0.9, 0.99]) {
      const reason = await parsing.reason(name, whole.subarray(0, whole.length * share));
      assert.match(reason, /damaged|cut off|cannot be opened/, `${name} ${share}`);
    }
  }
});

test('what is encrypted says so, and so do the formats of before 2007', async () => {
  const ole = (name: string): Buffer =>
    Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(504),
      Buffer.from(`${name}\0`, 'utf16le'),
    ]);
  assert.match(await parsing.reason('a.docx', ole('EncryptedPackage')), /encrypted, it needs a password/);
  assert.match(await parsing.reason('a.xls', ole('Workbook')), /^XLS.*save it as XLSX/);
  assert.match(await parsing.reason('a.doc', ole('WordDocument')), /^DOC.*save it as DOCX/);
  const manifest =
    '<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>';
  const odt = zipOf({
    mimetype: 'application/vnd.oasis.opendocument.text',
    'content.xml': randomBytes(99),
    'META-INF/manifest.xml': manifest,
  });
  assert.match(await parsing.reason('a.odt', odt), /encrypted, it needs a password/);
  const drm = {
    'META-INF/encryption.xml': '<encryption><enc:CipherReference URI="OPS/a.html"/></encryption>',
  };
  const book = epubOf({ pages: { 'a.html': 'x' }, spine: ['a.html'], parts: drm });
  assert.match(await parsing.reason('a.epub', book), /encrypted \(DRM\)/);
});

test('entities are neither expanded nor fetched, and depth has its limit', async () => {
  const laughs = Array.from(
    { length: 20 },
    (_, n) => `<!ENTITY lol${n + 1} "${`&lol${n};`.repeat(10)}">`,
  ).join('');
  const doctype = `<!DOCTYPE x [<!ENTITY lol0 "lol"><!ENTITY pass SYSTEM "file:///etc/passwd">${laughs}]>`;
  const body = word('document', paragraph('before &lol20; &pass; after'));
  const document = await parsing.good(
    'laughs.docx',
    zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': doctype + body }),
  );
  assert.match(textOf(document), /before .* after$/);
  assert.doesNotMatch(textOf(document), /lollol|root:/);
  const deep = paragraph(`${'<w:r>'.repeat(1e6)}x`);
  const cpu = await cpuOf(async () => {
    assert.match(await parsing.reason('deep.docx', docxOf(deep)), /nested too deeply/);
    assert.match(await parsing.reason('deep.html', `<html>${'<div>'.repeat(1e6)}x`), /nested too deeply/);
  });
  assert.ok(cpu < 8, `${cpu} s`);
});

test('a small file that says a long text a million times is refused', async () => {
  const strings = `<sst><si><t>${'long '.repeat(6000)}</t></si></sst>`;
  const cells = '<c t="s"><v>0</v></c>'.repeat(3000);
  const book = xlsxOf([{ name: 'S', xml: `<sheetData><row>${cells}</row></sheetData>` }], {
    'xl/sharedStrings.xml': strings,
  });
  assert.ok(book.length < 10_000);
  assert.match(await parsing.reason('shared.xlsx', book), /longer than 64 million characters/);
  const rows = '<tr><td>x</td></tr>'.repeat(2000);
  const spanning = `<html><table><tr><td rowspan="9999" colspan="9999">${'long '.repeat(9000)}</td></tr>${rows}</table>`;
  assert.ok(textOf(await parsing.good('spans.html', spanning)).length < 1e6);
});

test('a PDF gets so much memory and no more, and the next one is read', async () => {
  const bloated = bloatedPdf(2_000_000);
  assert.ok(bloated.length < mebibyte);
  assert.match(await parsing.reason('bloated.pdf', bloated), /needs more than 51\d MiB of memory/);
  assert.match(textOf(await parsing.good('next.pdf', pdfOf(['fine']))), /fine/);
});

test('a PDF whose tree names a page ten thousand times is read', async () => {
  const { chunks } = await parsing.good('pages.pdf', repeatedPdf(10_000));
  assert.equal(chunks.at(-1)?.pageEnd, 10_000);
});

test('nothing that a document names is fetched', async () => {
  let asked = 0;
  await using server = createServer((_, response) => response.end(String(++asked)));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  const external = `<Relationships><Relationship Id="r0" Type="x/slide" Target="${url}" TargetMode="External"/><Relationship Id="r9" Type="x/styles" Target="${url}"/></Relationships>`;
  const doctype = `<!DOCTYPE x SYSTEM "${url}" [<!ENTITY e SYSTEM "${url}">]>`;
  await parsing.good('a.docx', docxOf(paragraph('fine'), { 'word/_rels/document.xml.rels': external }));
  await parsing.good(
    'a.html',
    `${doctype}<html><base href="${url}"><link href="${url}"><img src="${url}"><p>fine`,
  );
  await parsing.good(
    'a.epub',
    epubOf({ pages: { a: `${doctype}<html><img src="${url}"/>&e;<p>fine` }, spine: ['a'] }),
  );
  await parsing.good('a.md', `![picture](${url}) [link](${url})`);
  await parsing.good('a.odt', odfOf('text', `<text:p>fine<text:a href="${url}">x</text:a></text:p>`));
  assert.equal(asked, 0);
});

test('no control character comes out of a name, a title or a reason', async () => {
  const dirty = 'dir\u001b[31mty\u0007&#10;&#x9b;x';
  const cells = '<sheetData><row><c t="str"><v>fine</v></c></row></sheetData>';
  const titled = { 'docProps/core.xml': `<x><dc:title>${dirty}</dc:title></x>` };
  const documents = [
    ...(await parsing.all('a.xlsx', xlsxOf([{ name: dirty, xml: cells, state: 'hidden' }], titled))),
    ...(await parsing.all('a.docx', docxOf(paragraph(dirty), titled))),
    ...(await parsing.all('a.pptx', pptxOf([shape(dirty, '<p:ph type="title"/>')]))),
    ...(await parsing.all('a.zip', withParts({ name: '../\u001b[31m', data: 'x' }))),
    ...(await parsing.all('a.ods', odfOf('spreadsheet', `<table:table table:name="${dirty}"/>`))),
    ...(await parsing.all('a.epub', epubOf({ pages: { [dirty]: '<html>fine</html>' }, spine: [dirty] }))),
  ];
  const strings = JSON.stringify(documents, (key, value: unknown) => (key === 'text' ? undefined : value));
  assert.doesNotMatch(strings.replaceAll(parsing.folder, ''), /\\u00[0189]|\\n|[\u0080-\u009f]/u);
});

test('names hold anything that a file system allows', async () => {
  const document = await parsing.good('two\nlines \u001b[31m.docx', goodFiles['a.docx'] ?? '');
  assert.equal(textOf(document), 'fine');
});
