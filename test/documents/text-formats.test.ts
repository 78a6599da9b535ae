import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { docxOf, paragraph } from '../fixtures/documents/office.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());
const small = { targetTokens: 48, overlapTokens: 0 };
const read = async (name: string, content: string | Uint8Array): Promise<string> =>
  textOf(await parsing.good(name, content));

test('LaTeX keeps sections as headings, formulas as they are written, captions, rows and code', async () => {
  const source = String.raw`\documentclass{article} % a comment
\title{On \emph{things}\thanks{Us}}
\begin{document}
\maketitle
\section[Short]{The \textbf{first} {part}}\label{sec:one}
Costs 5\% of what \textit{it} did,~see \cite{key}. % hidden
% a line of comment
Goes on with $a_1$ here.

A café of G\"odel and \'{E}mile: \[ x^2 \\ + y_1 \]
\begin{align*} a &= b \label{eq:x} \\ c &= d \end{align*}
\begin{table}[ht]\centering\caption{Doses of \textbf{A}}
\begin{tabular}{l|r@{}p{3cm}}\hline Drug & Dose \& more \\ \midrule A & 5 \\ \multicolumn{2}{c}{both} \\\bottomrule\end{tabular}\end{table}
\subsection*{List}
\begin{itemize}\item one \item[two] deux\end{itemize}
\begin{verbatim}
x = 1 % kept \section{no}
\end{verbatim}
\begin{comment}never\end{comment}
\input{other}
\end{document}
after`;
  const document = await parsing.good('paper.tex', source);
  assert.equal(document.title, 'On things');
  assert.equal(
    textOf(document),
    String.raw`The first part

Costs 5% of what it did, see \cite{key}. 
Goes on with $a_1$ here.

A café of Gödel and Émile: \[ x^2 \\ + y_1 \]
\begin{align*} a &= b  \\ c &= d \end{align*}

Doses of A

Drug | Dose & more
A | 5
both

List

- one
- two: deux

x = 1 % kept \section{no}`,
  );
  const { chunks } = await parsing.good('small.tex', source, { targetTokens: 16, overlapTokens: 0 });
  assert.deepEqual(chunks.at(-1)?.headings, ['The first part', 'List']);
});

test('what is made to exhaust a pattern is read in linear time', async () => {
  const before = process.cpuUsage();
  await parsing.all('blank.py', `x${'\n'.repeat(1_000_000)} y`);
  await parsing.all(
    'spaces.docx',
    docxOf(paragraph(`a${' '.repeat(1_000_000)}b`, '<w:outlineLvl w:val="0"/>')),
  );
  await parsing.all('quotes.csv', '"a,'.repeat(300_000));
  for (const piece of [
    '\\section{',
    '\\begin{equation}',
    '\\[',
    '$',
    '\\(',
    '{',
    '%',
    '\\begin{tabular}{',
    '\\textbf{',
  ])
    await parsing.all('open.tex', `\\documentclass{x}\n${piece.repeat(30_000)} end`);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 5e6, `${user / 1e6} s`);
});

test('a table of values names its columns in each chunk; quoted cells hold anything', async () => {
  const rows = Array.from({ length: 50 }, (_, n) => `${n},"the ""good"", or\nbad",${n * n}`);
  const { chunks } = await parsing.good('a.csv', ['id,what,square', ...rows].join('\r\n'), small);
  const seen = chunks.flatMap(({ text }) => text.split('\n').slice(1));
  assert.ok(chunks.length > 5 && chunks.every(({ text }) => text.startsWith('id | what | square\n')));
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, n) => `${n} | the "good", or bad | ${n * n}`),
  );
});

test('delimiters are found by the content; numbers are no header; a quote that never closes is a character', async () => {
  assert.equal(await read('a.tsv', 'a\tb, c\n1\t2\n'), 'a | b, c\n1 | 2');
  assert.equal(await read('b.csv', 'Größe;Wert\n1,5;2,5\n'), 'Größe | Wert\n1,5 | 2,5');
  assert.equal(await read('c.csv', '5" pipe,"open\nb,'), '5" pipe | "open\nb');
  const tabbed = Array.from({ length: 8 }, (_, n) => `${n}\tx${n}`).join('\n');
  assert.match(await read('d.txt', tabbed), /^0 \| x0\n1 \| x1/);
});

test('source code is cut between functions, else between lines, never in one', async () => {
  const functions = Array.from(
    { length: 12 },
    (_, n) => `def f${n}(x):\n    # Adds. Then stops.\n    y = x + ${n}\n\n    return y\n`,
  );
  const { chunks } = await parsing.good('a.py', functions.join('\n\n'), small);
  assert.ok(chunks.length >= 4);
  for (const { text } of chunks) assert.match(text, /^def f\d+[^]*return y$/);
});

test('a corpus may be one JSON array; any other JSON is read as it is written', async () => {
  const rows = [
    { id: 'a', contents: '"Title"\nText.' },
    { _id: 7, title: 'T', text: 'x' },
    { text: 'no id' },
  ];
  const documents = await parsing.all('corpus.json', JSON.stringify(rows, null, 2));
  assert.deepEqual(
    documents.map(({ key, state }) => [key, state]),
    [
      ['corpus.json#a', 'parsed'],
      ['corpus.json#7', 'parsed'],
      [documents[2]?.key, 'failed'],
    ],
  );
  assert.equal(await read('a.json', '{"a":[1,{"b":"c"}]}'), '{\n "a": [\n  1,\n  {\n   "b": "c"\n  }\n ]\n}');
  assert.equal(await read('b.json', '{\n    "a": 1\n}'), '{\n    "a": 1\n}');
  assert.equal(await read('c.json', '{"a": tru'), '{"a": tru');
});

test('a notebook is its texts and its code', async () => {
  const cells = [
    { cell_type: 'markdown', source: ['# Doses\n', '\n', 'We try.'] },
    { cell_type: 'code', source: 'x = 1\nprint(x)', outputs: [{ data: { 'image/png': 'AAAA' } }] },
    { cell_type: 'code', source: [] },
  ];
  const document = await parsing.good('a.ipynb', JSON.stringify({ nbformat: 4, cells }));
  assert.deepEqual([document.title, textOf(document)], ['Doses', 'Doses\n\nWe try.\n\nx = 1\nprint(x)']);
});

test("RAG-Anything's list of contents keeps pages, headings, captions, formulas and paths of pictures", async () => {
  const items = [
    { type: 'header', text: 'ACME', page_idx: 0 },
    { type: 'text', text: 'Methods', text_level: 1, page_idx: 0 },
    { type: 'text', text: 'We did.', page_idx: 0 },
    {
      type: 'image',
      img_path: 'images/1.jpg',
      image_caption: ['Fig. 1'],
      image_footnote: ['by us'],
      page_idx: 1,
    },
    { type: 'equation', text: '$$E=mc^2$$', text_format: 'latex', img_path: 'images/2.jpg', page_idx: 1 },
    {
      type: 'table',
      table_caption: ['Tab. 1'],
      table_body: '<table><tr><td>a</td><td>b</td></tr></table>',
      page_idx: 2,
    },
    { type: 'table', table_body: '| c | d |\n|---|---|\n| 1 | 2 |', page_idx: 2 },
    { type: 'list', list_items: ['one', '- two'], page_idx: 2 },
    { type: 'code', code_body: 'x = 1', code_caption: ['Listing'], page_idx: 2 },
  ];
  const document = await parsing.good('content_list.json', JSON.stringify(items));
  assert.equal(
    textOf(document),
    'Methods\n\nWe did.\n\n[image: images/1.jpg]\n\nFig. 1\n\nby us\n\n$$E=mc^2$$\n\nTab. 1\n\na | b\n\n| c | d |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n\nListing\n\nx = 1',
  );
  assert.equal(document.title, 'Methods');
  assert.deepEqual([document.chunks[0]?.page, document.chunks[0]?.pageEnd], [1, 3]);
});

test('encodings: marks, UTF-16 without one, UTF-32, and a guess that is told', async () => {
  const text = 'Grüße aus Köln, 😀 auch.';
  const wide = (value: string, order: 'LE' | 'BE'): Buffer => {
    const points = Array.from(`\ufeff${value}`, (char) => char.codePointAt(0) ?? 0);
    const bytes = Buffer.alloc(points.length * 4);
    points.forEach((point, n) =>
      order === 'LE' ? bytes.writeUInt32LE(point, n * 4) : bytes.writeUInt32BE(point, n * 4),
    );
    return bytes;
  };
  assert.equal(await read('a.txt', wide(text, 'LE')), text);
  assert.equal(await read('b.txt', wide(text, 'BE')), text);
  assert.equal(await read('c.txt', Buffer.from(text, 'utf16le')), text);
  assert.equal(await read('d.txt', Buffer.from(text, 'utf16le').swap16()), text);
  const guessed = await parsing.good('e.txt', Buffer.from('Grüße', 'latin1'));
  assert.deepEqual(guessed.warnings, ['it is not UTF-8 and was read as Windows-1252: letters may be wrong']);
  assert.equal((await parsing.good('f.txt', text)).warnings, undefined);
});

test('XHTML may close where it opens, and formulas of a page are read', async () => {
  const page =
    '<?xml version="1.0"?><html><head><script src="x"/><title/></head><body><p>Then <math alttext="a^2"><mi>a</mi></math> and <math><mi>b</mi><annotation>hidden</annotation></math>.</p></body></html>';
  assert.equal(await read('a.xhtml', page), 'Then a^2 and b.');
});

test('a table of a page says what a cell covers in each row, and its header in each chunk', async () => {
  const rows = Array.from({ length: 40 }, (_, n) => `<tr><td>${n}</td><td>value ${n}</td></tr>`).join('');
  const page = `<html><table><thead><tr><th>Group</th><th>No</th><th>Value</th></tr></thead><tr><td rowspan="41">G</td></tr>${rows}</table>`;
  const { chunks } = await parsing.good('spans.html', page, small);
  assert.ok(chunks.length > 3);
  for (const { text } of chunks) assert.match(text, /^Group \| No \| Value\nG(?: \| \d+ \| value \d+)?\n?/);
  assert.match(chunks.at(-1)?.text ?? '', /G \| 39 \| value 39$/);
});
