import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Block } from '../../src/documents/block.ts';
import { chunkBlocks, chunkerName } from '../../src/documents/chunk.ts';
import { cleanText } from '../../src/documents/clean.ts';
import { repeatHeaders } from '../../src/documents/table-parts.ts';
import { estimateTokens } from '../../src/tokens/estimate.ts';

const options = { targetTokens: 64, overlapTokens: 16 };
const textOf = (blocks: readonly Block[]): string =>
  repeatHeaders(blocks, options.targetTokens)
    .map((block) => block.text)
    .filter((text) => text.trim() !== '')
    .join('\n\n');
const sliceOfPoints = (text: string, from: number, to: number): string =>
  Array.from(text).slice(from, to).join('');

const sentence = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[a-z]{1,12}$/),
      fc.constantFrom(
        '😀',
        '👩‍👩‍👧',
        'e\u0301',
        '智能。',
        '한국어',
        '1.5 %',
        '|',
        '\t',
        '\n',
        'x'.repeat(400),
        '智'.repeat(200),
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 30 },
  )
  .map((words) => cleanText(`${words.join(' ')}. `));
const block: fc.Arbitrary<Block> = fc.record(
  {
    kind: fc.constantFrom('heading' as const, 'text' as const, 'table' as const, 'code' as const),
    text: fc.array(sentence, { maxLength: 8 }).map((parts) => parts.join('')),
    level: fc.integer({ min: 1, max: 6 }),
    page: fc.integer({ min: 1, max: 9 }),
    headerLines: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['kind', 'text'] },
);
const document = fc.array(block, { maxLength: 12 });

test('a chunk is exactly the slice of the text that its offsets name, in code points', () => {
  fc.assert(
    fc.property(document, (blocks) => {
      const text = textOf(blocks);
      for (const chunk of chunkBlocks(blocks, options)) {
        assert.equal(sliceOfPoints(text, chunk.start, chunk.end), chunk.text);
        assert.ok(chunk.text.isWellFormed());
      }
    }),
  );
});

test('the chunks cover every word of the text, in order, and each brings something new', () => {
  fc.assert(
    fc.property(document, (blocks) => {
      const points = Array.from(textOf(blocks));
      let covered = 0;
      for (const [index, chunk] of chunkBlocks(blocks, options).entries()) {
        assert.equal(chunk.ordinal, index);
        assert.ok(chunk.end > covered, 'something new');
        assert.equal(
          points.slice(covered, Math.max(covered, chunk.start)).join('').trim(),
          '',
          'nothing left out',
        );
        covered = chunk.end;
      }
      assert.equal(points.slice(covered).join('').trim(), '', 'nothing left at the end');
    }),
  );
});

test('no chunk is longer than the target', () => {
  fc.assert(
    fc.property(document, (blocks) => {
      for (const chunk of chunkBlocks(blocks, options)) {
        // A word that was cut counts more than its parts.
        assert.ok(estimateTokens(chunk.text) <= options.targetTokens * 1.1, chunk.text);
      }
    }),
  );
});

const prose = (sentences: number, word: string): string =>
  Array.from({ length: sentences }, (_, n) => `Sentence ${word} number ${n} says a little about it.`).join(
    ' ',
  );

test('neighbours inside a section overlap by whole sentences', () => {
  const chunks = chunkBlocks([{ kind: 'text', text: prose(40, 'alpha') }], options);
  assert.ok(chunks.length > 3);
  for (const [index, chunk] of chunks.entries()) {
    assert.match(chunk.text, /^Sentence .* about it\.$/s);
    const before = chunks[index - 1];
    if (before !== undefined) assert.ok(chunk.start < before.end && chunk.start > before.start);
  }
});

test('a heading begins a chunk rather than ending one, and its path is kept', () => {
  const chunks = chunkBlocks(
    [
      { kind: 'heading', level: 1, text: 'Dosage' },
      { kind: 'text', text: prose(3, 'alpha') },
      { kind: 'heading', level: 2, text: 'Children' },
      { kind: 'text', text: prose(4, 'beta') },
      { kind: 'heading', level: 1, text: 'Storage' },
      { kind: 'text', text: prose(4, 'gamma') },
    ],
    options,
  );
  assert.deepEqual(
    chunks.map((chunk) => [chunk.headings.join(' > '), chunk.text.split('\n')[0]]),
    [
      ['Dosage', 'Dosage'],
      ['Dosage > Children', 'Children'],
      ['Storage', 'Storage'],
    ],
  );
});

test('a document of nothing but headings fills its chunks', () => {
  const headings = Array.from({ length: 1000 }, (_, n): Block => ({
    kind: 'heading',
    level: (n % 6) + 1,
    text: `Part ${n}`,
  }));
  assert.ok(chunkBlocks(headings, options).length < 80);
});

test('a fence and a table that fit stay whole; a larger table is cut between its rows', () => {
  const code = 'def f(x):\n    return x. + 1\n\nprint(f(1))';
  const [first] = chunkBlocks(
    [
      { kind: 'text', text: prose(4, 'alpha') },
      { kind: 'code', text: code },
    ],
    {
      targetTokens: 64,
      overlapTokens: 0,
    },
  ).filter((chunk) => chunk.text.includes('def f'));
  assert.ok(first?.text.includes(code));
  const rows = Array.from({ length: 60 }, (_, n) => `row ${n}. | value ${n} | unit`);
  const chunks = chunkBlocks([{ kind: 'table', text: rows.join('\n') }], options);
  assert.ok(chunks.length > 2);
  for (const line of chunks.flatMap((chunk) => chunk.text.split('\n'))) assert.ok(rows.includes(line), line);
});

test('a table that is cut says its header in each part, unless the header is as long as a part', () => {
  const rows = Array.from({ length: 60 }, (_, n) => `row ${n} | value ${n} | unit`);
  const cut = (header: string): string[] => {
    const table: Block = { kind: 'table', text: [header, ...rows].join('\n'), headerLines: 1 };
    return chunkBlocks([table], options).map((chunk) => chunk.text);
  };
  const parts = cut('No | Value | Unit');
  assert.ok(parts.length > 5 && parts.every((text) => text.startsWith('No | Value | Unit\nrow')));
  assert.equal(new Set(parts.flatMap((text) => text.split('\n').slice(1))).size, 60);
  assert.equal(cut('a long name '.repeat(20)).filter((text) => text.includes('a long name')).length, 1);
});

test('a chunk names the pages it spans', () => {
  const chunks = chunkBlocks(
    [1, 2, 3].map((page) => ({ kind: 'text', text: prose(3, 'alpha'), page })),
    { targetTokens: 60, overlapTokens: 0 },
  );
  assert.deepEqual([chunks[0]?.page, chunks.at(-1)?.pageEnd], [1, 3]);
  assert.ok(chunks.some((chunk) => chunk.page !== chunk.pageEnd));
});

test('emoji, combining marks and surrogate pairs are not cut apart in a word without spaces', () => {
  for (const cluster of ['👩‍👩‍👧', 'e\u0301', '👍🏽', '𠀀']) {
    const chunks = chunkBlocks([{ kind: 'text', text: cluster.repeat(400) }], options);
    assert.ok(chunks.length > 1);
    for (const chunk of chunks) assert.equal(chunk.text, cluster.repeat(chunk.text.length / cluster.length));
  }
});

test('a megabyte without a space or a full stop takes linear time', () => {
  const started = process.cpuUsage();
  const chunks = chunkBlocks([{ kind: 'text', text: 'ab1'.repeat(350_000) }], {
    targetTokens: 512,
    overlapTokens: 64,
  });
  const used = process.cpuUsage(started);
  assert.ok(chunks.length > 500);
  assert.ok(used.user < 3e6, `${used.user / 1e6} s`);
});

test('a chunk of nothing new but blank lines is none', () => {
  const chunks = chunkBlocks(
    [
      { kind: 'text', text: 'A b c d. '.repeat(22) },
      { kind: 'code', text: `\n${'x = 1; '.repeat(60)}` },
    ],
    options,
  );
  assert.deepEqual(
    chunks.slice(1).filter((chunk, index) => chunk.end <= (chunks[index]?.end ?? 0)),
    [],
  );
});

test('the name of the chunker tells version, target and overlap', () => {
  assert.equal(chunkerName({ targetTokens: 512, overlapTokens: 64 }), 'structure-3:512/64');
});
