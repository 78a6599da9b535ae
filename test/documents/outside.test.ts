import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import type { Conversion, OutsideParser } from '../../src/documents/outside.ts';
import { openParserPool } from '../../src/documents/pool.ts';
import type { ParsedDocument, ParserPool } from '../../src/documents/types.ts';
import { pdfOf } from '../fixtures/documents/pdf.ts';

const options = {
  threads: 2,
  chunker: { targetTokens: 512, overlapTokens: 64 },
  maxFileBytes: 1024 * 1024,
  timeoutMsPerFile: 20_000,
};
const never = new AbortController().signal;

/** Writes these files instead of reading anything. */
const writing = (files: Readonly<Record<string, string>>): OutsideParser => ({
  async convert(_, output) {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(output, name, '..'), { recursive: true });
      await writeFile(join(output, name), content);
    }
    return { outcome: 'done' };
  },
});

interface Tried {
  readonly pool: ParserPool;
  readonly folder: string;
  readonly parse: (name: string, content: string | Uint8Array) => Promise<ParsedDocument | undefined>;
}

async function withOutside(parser: OutsideParser, use: (tried: Tried) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'outside-'));
  const scratch = join(folder.path, 'scratch');
  await mkdir(scratch);
  await using pool = openParserPool({ ...options, outside: { parser, scratch } });
  await use({
    pool,
    folder: folder.path,
    async parse(name, content) {
      const path = join(folder.path, name);
      await writeFile(path, content);
      return (await pool.parse({ kind: 'file', path, key: name, known: null }, never))[0];
    },
  });
  assert.deepEqual(await readdir(scratch), [], 'nothing is left in the scratch folder');
}

const textOf = (document: ParsedDocument | undefined): string =>
  document?.state === 'parsed'
    ? document.chunks.map(({ text }) => text).join('\n\n')
    : JSON.stringify(document);

test('PDFs and pictures are read by the outside parser, all other files by our own', async () => {
  const list = JSON.stringify([{ type: 'text', text: 'Recognised.', page_idx: 4 }]);
  const parser = writing({ 'a/auto/a_content_list.json': list, 'a/auto/a.md': 'other', 'a/x.json': '{' });
  await withOutside(parser, async ({ parse }) => {
    const pdf = await parse('a.pdf', pdfOf(['Own text.']));
    assert.ok(pdf?.state === 'parsed');
    assert.deepEqual([textOf(pdf), pdf.chunks[0]?.page, pdf.title], ['Recognised.', 5, 'a.pdf']);
    assert.match(pdf.hash, /^[0-9a-f]{64}$/);
    const picture = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    assert.equal(textOf(await parse('scan.png', picture)), 'Recognised.');
    assert.equal(textOf(await parse('a.md', 'Own.')), 'Own.');
  });
});

test("Docling's document keeps headings, pages and tables, in reading order", async () => {
  const cell = (text: string, start: number, header = false) => ({
    text,
    start_col_offset_idx: start,
    column_header: header,
  });
  const at = (page: number) => [{ page_no: page }];
  const document = {
    schema_name: 'DoclingDocument',
    body: {
      children: [
        { $ref: '#/texts/1' },
        { $ref: '#/groups/0' },
        { $ref: '#/tables/0' },
        { $ref: '#/texts/4' },
      ],
    },
    groups: [{ label: 'list', children: [{ $ref: '#/texts/2' }, { $ref: '#/groups/0' }] }],
    texts: [
      { label: 'caption', text: 'Tab. 1', prov: at(2) },
      { label: 'section_header', text: 'Doses', level: 1, prov: at(1) },
      { label: 'list_item', text: 'first', prov: at(1) },
      { label: 'text', text: 'never referred to' },
      { label: 'page_footer', text: '7' },
    ],
    tables: [
      {
        label: 'table',
        captions: [{ $ref: '#/texts/0' }],
        prov: at(2),
        data: {
          grid: [
            [cell('Both', 0, true), cell('Both', 0, true)],
            [cell('a', 0), cell('b', 1)],
          ],
        },
      },
    ],
  };
  await withOutside(writing({ 'a.json': JSON.stringify(document) }), async ({ parse }) => {
    const pdf = await parse('a.pdf', pdfOf(['x']));
    assert.equal(textOf(pdf), 'Doses\n\n- first\n\nTab. 1\n\nBoth\na | b');
    assert.ok(pdf?.state === 'parsed');
    assert.deepEqual([pdf.chunks[0]?.page, pdf.chunks[0]?.pageEnd], [1, 2]);
  });
});

test('Markdown is read where there is nothing better; nothing at all is a failure that says so', async () => {
  await withOutside(writing({ 'a.md': '# Title\n\nText.' }), async ({ parse }) => {
    assert.equal(textOf(await parse('a.pdf', pdfOf(['x']))), 'Title\n\nText.');
  });
  await withOutside(writing({ 'log.txt': 'x' }), async ({ parse }) => {
    assert.match(textOf(await parse('a.pdf', pdfOf(['x']))), /"failed".*RAG_PARSER wrote neither/);
  });
  await withOutside(writing({ 'a.md': ' ' }), async ({ parse }) => {
    assert.match(textOf(await parse('a.pdf', pdfOf(['x']))), /"needs_ocr"/);
  });
});

test('it gets a copy, named by what the content is: a name may be wrong, or hostile', async () => {
  const names: string[] = [];
  const parser: OutsideParser = {
    async convert(input, output) {
      names.push(basename(input));
      assert.notEqual((await readFile(input)).length, 0);
      assert.deepEqual(await readdir(output), []);
      await writeFile(join(output, 'a.md'), 'Text.');
      return { outcome: 'done' };
    },
  };
  await withOutside(parser, async ({ parse }) => {
    assert.equal((await parse('-o odd\nname.txt', pdfOf(['x'])))?.state, 'parsed');
    await parse('scan.pdf', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
  });
  assert.deepEqual(names, ['document.pdf', 'document.png']);
});

test('what the outside parser says of a failure is the reason, and stopping ends it', async () => {
  const fails: OutsideParser = { convert: async () => ({ outcome: 'failed', reason: 'no GPU' }) };
  await withOutside(fails, async ({ parse }) => {
    assert.match(textOf(await parse('a.pdf', pdfOf(['x']))), /"failed","reason":"RAG_PARSER: no GPU"/);
  });
  const stop = new AbortController();
  const hangs: OutsideParser = {
    convert: (input, _, signal) =>
      new Promise<Conversion>((resolve) => {
        signal.addEventListener('abort', () => resolve({ outcome: 'aborted', reason: 'stopped' }));
        void readFile(input).then(() => stop.abort());
      }),
  };
  await withOutside(hangs, async ({ pool, folder }) => {
    const path = join(folder, 'a.pdf');
    await writeFile(path, pdfOf(['x']));
    const parsing = pool.parse({ kind: 'file', path, key: 'a', known: null }, stop.signal);
    await assert.rejects(parsing, (error) => codeOf(error) === 'aborted');
  });
});
