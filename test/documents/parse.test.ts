import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import parseTask from '../../src/documents/parse-task.ts';
import type { ParsedDocument } from '../../src/documents/types.ts';
import { encryptedPdf, pdfOf } from '../fixtures/documents/pdf.ts';

const folder = await mkdtempDisposable(join(tmpdir(), 'documents-'));
after(() => folder.remove());

const chunker = { targetTokens: 512, overlapTokens: 64 };
const maxFileBytes = 4 * 1024 * 1024;

/** Parses one file of this name and content, as a thread would. */
async function parse(
  name: string,
  content: string | Uint8Array,
  known: string | null = null,
): Promise<ParsedDocument[]> {
  const path = join(folder.path, name);
  await writeFile(path, content);
  return parseTask({ task: { kind: 'file', path, key: name, known }, chunker, maxFileBytes });
}

async function parseOne(name: string, content: string | Uint8Array): Promise<ParsedDocument> {
  const [document, ...others] = await parse(name, content);
  assert.ok(document !== undefined && others.length === 0);
  return document;
}

async function parsed(
  name: string,
  content: string | Uint8Array,
): Promise<Extract<ParsedDocument, { state: 'parsed' }>> {
  const document = await parseOne(name, content);
  assert.equal(document.state, 'parsed', JSON.stringify(document));
  return document;
}

const textOf = (document: Extract<ParsedDocument, { state: 'parsed' }>): string =>
  document.chunks.map((chunk) => chunk.text).join('\n');

async function reasonOf(name: string, content: string | Uint8Array): Promise<string> {
  const document = await parseOne(name, content);
  assert.equal(document.state, 'failed', JSON.stringify(document));
  return document.state === 'failed' ? document.reason : '';
}

test('a PDF gives its text page by page and its title', async () => {
  const document = await parsed(
    'paper.bin',
    pdfOf(['First page on alpha.', 'Second page on beta.'], 'A Title'),
  );
  assert.equal(document.title, 'A Title');
  assert.match(textOf(document), /First page on alpha\.\s+Second page on beta\./);
  assert.deepEqual([document.chunks[0]?.page, document.chunks[0]?.pageEnd], [1, 2]);
  assert.deepEqual([document.key, document.id], ['paper.bin', 'paper.bin']);
  assert.match(document.hash, /^[0-9a-f]{64}$/);
});

test('a PDF without a title is named after its file', async () => {
  assert.equal((await parsed('untitled.pdf', pdfOf(['x']))).title, 'untitled.pdf');
});

test('a PDF whose pages hold no text needs OCR', async () => {
  assert.equal((await parseOne('scan.pdf', pdfOf(['', '']))).state, 'needs_ocr');
});

test('a PDF that is cut off, garbage or encrypted fails with its reason, and the next one is read', async () => {
  const whole = pdfOf(['First page.', 'Second page.']);
  assert.match(await reasonOf('half.pdf', whole.subarray(0, whole.length / 2)), /damaged|cut off/);
  assert.match(await reasonOf('garbage.pdf', '%PDF-1.7\nnothing that a PDF would say'), /damaged/);
  assert.match(await reasonOf('secret.pdf', encryptedPdf('Secret.')), /encrypted/);
  assert.match(textOf(await parsed('whole.pdf', whole)), /Second page/);
});

test('HTML keeps headings, rows, code and lists, and drops scripts, styles and navigation', async () => {
  const document = await parsed(
    'page.html',
    `<!doctype html><html><head><title>The &amp; page</title><style>p{}</style></head><body>
     <nav><ul><li>Home<nav>inner</nav></li></ul> more nav</nav>
     <div class="related" role="navigation"><div>previous</div> next</div>
     <h1>Doses</h1><p>Take   one<br>daily &mdash; or <b>two</b>.</p>
     <table><tr><th>Drug</th><th>Dose</th></tr><tr><td>A<p>forte</p></td><td>5 mg</td></tr></table>
     <h2>Code</h2><pre>for x:
       print(x)</pre><ul><li>first<li>second</ul><script>let hidden = 1 < 2;</script></body></html>`,
  );
  const text = textOf(document);
  assert.equal(document.title, 'The & page');
  assert.match(text, /Take one\ndaily — or two\./);
  assert.match(text, /Drug \| Dose\nA forte \| 5 mg/);
  assert.match(text, /for x:\n {7}print\(x\)/);
  assert.match(text, /- first\n- second/);
  assert.doesNotMatch(text, /hidden|Home|inner|more nav|previous|next|p\{\}/);
  assert.deepEqual(document.chunks[0]?.headings, ['Doses']);
});

test('a table that lays out the page is read as the page', async () => {
  const document = await parsed(
    'old.html',
    '<html><table><tr><td>Menu</td><td><h1>Real</h1><p>One.</p><p>Two.</p></td></tr></table>',
  );
  assert.equal(document.title, 'Real');
  assert.match(textOf(document), /Menu\n\nReal\n\nOne\.\n\nTwo\./);
});

test('HTML nested ten thousand levels deep is read', async () => {
  const deep = `<html>${'<div><b>'.repeat(10_000)}the core${'</b></div>'.repeat(10_000)}`;
  assert.equal(textOf(await parsed('deep.html', deep)), 'the core');
});

test('HTML that is named .pdf is read as HTML', async () => {
  assert.equal(textOf(await parsed('download.pdf', '<!DOCTYPE html><p>Not found</p>')), 'Not found');
});

test('texts made to exhaust a pattern are read in linear time', async () => {
  const long = ' '.repeat(300_000);
  const started = process.cpuUsage();
  await parse('heading.md', `# a${long}x\n\ntext`);
  await parse('table.md', `a|b\n|-${long}x\n`);
  await parse('link.md', `# ${'[a]('.repeat(50_000)}\n${'![](data:'.repeat(50_000)}`);
  await parse('comments.txt', `${' <!-- --> '.repeat(400)}x`);
  await parse('spaces.html', `<html><pre>${long}<p>x`);
  const { user } = process.cpuUsage(started);
  assert.ok(user < 3e6, `${user / 1e6} s`);
});

test('Markdown keeps headings as a path, and fences and tables whole', async () => {
  const document = await parsed(
    'notes.md',
    '---\ntitle: "Field notes"\n---\n# Top\n\nIntro.\n\nUnder\n-----\n\n```sh\n# no heading\nls\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n',
  );
  assert.equal(document.title, 'Field notes');
  assert.deepEqual(document.chunks[0]?.headings, ['Top']);
  assert.match(textOf(document), /Top\n\nIntro\.\n\nUnder\n\n```sh\n# no heading\nls\n```\n\n\| a \| b \|/);
});

test('a text without headings is named after its file, whatever its encoding', async () => {
  assert.equal((await parsed('plain.txt', 'Grüße.')).title, 'plain.txt');
  assert.equal(
    textOf(await parsed('old.txt', Buffer.from('Grüße, naïve café', 'latin1'))),
    'Grüße, naïve café',
  );
  assert.equal(textOf(await parsed('wide.txt', Buffer.from('\ufeffGrüße', 'utf16le'))), 'Grüße');
  assert.equal(textOf(await parsed('MZ', 'MZ is a text all the same.')), 'MZ is a text all the same.');
});

test('control characters, byte order marks and lone surrogates never reach a chunk', async () => {
  const source = `\ufeffOne\u0000\u001b[31m two\r\nthree\u0085four\u2028five\u00ad. ${'Fill. '.repeat(40)}`;
  for (const name of ['a.txt', 'a.md', 'a.html']) {
    const text = textOf(
      await parsed(name, name.endsWith('html') ? `<html><p>${source}&#0;&#27;&#x9b;` : source),
    );
    assert.doesNotMatch(text, /[[\p{Cc}\p{Cs}\u2028\ufeff]--[\n\t]]/v);
    assert.match(text, /One\[31m two\sthree\sfour\sfive\./);
  }
  const [row] = await parse('a.jsonl', '{"id":"1","contents":"t\\nlone \\ud800 and \\u0000 nul"}\n');
  assert.ok(row?.state === 'parsed' && row.chunks[0]?.text === 'lone \ufffd and  nul');
});

test('what is empty, blank, binary, too large or of an unsupported type fails with a reason that says so', async () => {
  assert.equal(await reasonOf('empty.txt', ''), 'empty');
  assert.match(await reasonOf('blank.txt', ' \n\t\n'), /no text/);
  assert.match(await reasonOf('tags.html', '<html><body><script>x</script></body></html>'), /no text/);
  assert.match(
    await reasonOf(
      'noise.txt',
      Uint8Array.from({ length: 2000 }, (_, n) => (n * 7) % 32),
    ),
    /binary/,
  );
  assert.match(
    await reasonOf('picture.pdf', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
    /^PNG is not supported yet/,
  );
  assert.match(await reasonOf('letter.txt', '{\\rtf1\\ansi Hello}'), /^RTF/);
  assert.match(
    await reasonOf('large.txt', 'x'.repeat(maxFileBytes + 1)),
    /too large: 4\.0 MiB, at most 4\.0 MiB/,
  );
});

test('what cannot be opened fails, and what is no file is never opened', async () => {
  const at = async (name: string): Promise<ParsedDocument | undefined> => {
    const path = join(folder.path, name);
    return (
      await parseTask({ task: { kind: 'file', path, key: name, known: null }, chunker, maxFileBytes })
    )[0];
  };
  execFileSync('mkfifo', [join(folder.path, 'pipe')]);
  await symlink('circle', join(folder.path, 'circle'));
  for (const [name, reason] of [
    ['pipe', /not a regular file/],
    ['gone', /does not exist/],
    ['circle', /link to itself/],
  ] as const) {
    const document = await at(name);
    assert.ok(document?.state === 'failed' && reason.test(document.reason), JSON.stringify(document));
  }
  await writeFile(join(folder.path, 'closed'), 'x');
  await chmod(join(folder.path, 'closed'), 0);
  if (process.getuid?.() !== 0) assert.match(JSON.stringify(await at('closed')), /no permission/);
});

test('content that is known already is not parsed again', async () => {
  const first = await parsed('same.txt', 'The same.');
  const [again] = await parse('same.txt', 'The same.', first.hash);
  assert.deepEqual([again?.state, again?.hash], ['unchanged', first.hash]);
});

test('each row of a corpus is a document, whichever keys it uses', async () => {
  const rows = [
    '{"id":"0","contents":"\\"Alpha\\"\\nOn alpha.\\nMore."}',
    '{"id":7,"title":"Beta","content":"On beta\u2028and on.","contents":"Beta. On beta"}',
    '{"_id":"g/3","title":"Gamma","text":"On gamma.","metadata":{}}',
    '{"id":"9","contents":"No title here"}',
  ];
  const documents = await parse('corpus.anything', rows.join('\n'));
  assert.deepEqual(
    documents.map((row) => row.state === 'parsed' && [row.id, row.title, row.chunks[0]?.text]),
    [
      ['0', 'Alpha', 'On alpha.\nMore.'],
      ['7', 'Beta', 'On beta\nand on.'],
      ['g/3', 'Gamma', 'On gamma.'],
      ['9', '9', 'No title here'],
    ],
  );
  assert.deepEqual(
    documents.map((row) => row.key),
    ['corpus.anything#0', 'corpus.anything#7', 'corpus.anything#g/3', 'corpus.anything#9'],
  );
});

test('a bad row fails by itself and says where it stands', async () => {
  const good = '{"id":"a","text":"fine"}';
  const documents = await parse(
    'mixed.jsonl',
    [good, '{"id":', '', '{"text":"no id"}', '{"id":"e","text":" "}', '{"id":"f","text":"fine"}'].join('\n'),
  );
  assert.deepEqual(
    documents.map((row) => [row.key, row.state]),
    [
      ['mixed.jsonl#a', 'parsed'],
      ['mixed.jsonl#@25', 'failed'],
      ['mixed.jsonl#@33', 'failed'],
      ['mixed.jsonl#e', 'failed'],
      ['mixed.jsonl#f', 'parsed'],
    ],
  );
  assert.match(JSON.stringify(documents[1]), /row at byte 25: not JSON/);
});

test('of two rows with one id the second fails by its place, unless it says the same', async () => {
  const row = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
  const rows = [row('a', 'one'), row('b', 'two'), row('a', 'another'), row('a', 'one')];
  const documents = await parse('twice.jsonl', rows.join(''));
  const at = rows.slice(0, 2).join('').length;
  assert.deepEqual(
    documents.map((document) => [document.key, document.state]),
    [
      ['twice.jsonl#a', 'parsed'],
      ['twice.jsonl#b', 'parsed'],
      [`twice.jsonl#@${at}`, 'failed'],
      ['twice.jsonl#a', 'unchanged'],
    ],
  );
  assert.match(JSON.stringify(documents[2]), /the id a stands twice in twice\.jsonl/);
});

test('a slice of a corpus holds the rows between its offsets', async () => {
  const rows = ['{"id":"a","text":"one"}', '{"id":"b","text":"two"}', '{"id":"c","text":"three"}'].map(
    (row) => `${row}\n`,
  );
  const path = join(folder.path, 'sliced.jsonl');
  await writeFile(path, rows.join(''));
  const length = rows[0]?.length ?? 0;
  const slice = { kind: 'rows', path, corpus: 'sliced', from: length, to: 2 * length } as const;
  assert.deepEqual(
    (await parseTask({ task: slice, chunker, maxFileBytes })).map((row) => row.key),
    ['sliced#b'],
  );
  const [lost] = await parseTask({ task: { ...slice, to: 1000 }, chunker, maxFileBytes });
  assert.ok(lost?.state === 'failed' && lost.key === `sliced#@${length}`);
});

test('ids that are too long for a number stay two', async () => {
  const rows = ['12345678901234567890', '12345678901234567891', '7'].map(
    (id) => `{"id":${id},"contents":"t\\ntext"}\n`,
  );
  const documents = await parse('long.jsonl', rows.join(''));
  assert.deepEqual(
    documents.map(({ key }) => key),
    ['long.jsonl#12345678901234567890', 'long.jsonl#12345678901234567891', 'long.jsonl#7'],
  );
});
