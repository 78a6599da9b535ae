import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { clip, hanging, padEnd, widthOf, wrap } from '../../src/observe/width.ts';

test('widthOf() counts columns of a terminal, not code units', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['größe', 5],
    ['e\u0301', 1],
    ['日本語', 6],
    ['한국', 4],
    ['ﾊﾝｶｸ', 4],
    ['👩‍👩‍👧', 2],
    ['\u0301', 0],
  ];
  for (const [text, columns] of cases) assert.equal(widthOf(text), columns, text);
});

test('clip() keeps what fits, and says that there was more', () => {
  assert.equal(clip('a short text', 20), 'a short text');
  assert.equal(clip('a text that is too long', 10), 'a text ...');
  assert.equal(clip('日本語の文書', 9), '日本語...');
  assert.equal(clip('abcdef', 3), 'abc');
  assert.equal(clip('abcdef', 0), '');
});

test('padEnd() fills up to a column', () => {
  assert.equal(padEnd('日本', 6), '日本  ');
  assert.equal(padEnd('abc', 2), 'abc');
});

test('wrap() breaks between words, and in words that are longer than a line', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('/a/very/long/path is here', 8), ['/a/very/', 'long/pat', 'h is', 'here']);
  assert.deepEqual(wrap('日本語の文書です', 5), ['日本', '語の', '文書', 'です']);
  assert.deepEqual(wrap('', 8), ['']);
  assert.deepEqual(wrap('ab', 0), ['a', 'b']);
  assert.deepEqual(wrap('any', Infinity), ['any']);
});

test('hanging() puts blanks before each line', () => {
  assert.deepEqual(hanging('one two three four five six', 4, 28), ['    one two three four five', '    six']);
});

test('no line of wrap() is longer than it may be, and nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' })),
      fc.integer({ min: 2, max: 40 }),
      (words, columns) => {
        const text = words.map((word) => word.replaceAll(' ', '')).join(' ');
        const lines = wrap(text, columns);
        assert.ok(lines.every((line) => widthOf(line) <= columns));
        assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      },
    ),
  );
});
