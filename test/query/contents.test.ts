import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toRetrievedHit } from '../../src/query/contents.ts';
import { hit } from './hits.ts';

test('the first line of contents is the title in quotes and the rest is the text, whatever they hold', () => {
  const line = fc
    .array(fc.constantFrom('a', '"', '\n', '\r', '\u2028', '\u0085', ' '))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(line, line, (title, text) => {
      const { document } = toRetrievedHit(hit('a', text, { title }));
      const [first = '', ...rest] = document.contents.split('\n');
      assert.equal(first, `"${document.title}"`);
      assert.equal(rest.join('\n'), text);
      assert.doesNotMatch(document.title, /[\n\r\u2028\u0085]/u);
    }),
  );
});

test('a row is shown under its own id, as qrels name it, with its key beside', () => {
  const { document } = toRetrievedHit(hit('a', 'text', { document: 'corpora/nq.jsonl#7', id: '7' }));
  assert.deepEqual([document.id, document.key], ['7', 'corpora/nq.jsonl#7']);
});

test('a retrieved hit says where its text stands', () => {
  const { document, score } = toRetrievedHit(hit('a', 'text', { page: 3, pageEnd: 4, start: 7, end: 11 }));
  assert.equal(score, 1);
  const { id, title, file, page, page_end, start, end, chunk } = document;
  assert.deepEqual(
    { id, title, file, page, page_end, start, end, chunk },
    { id: 'a.pdf', title: 'Title of a', file: 'a.pdf', page: 3, page_end: 4, start: 7, end: 11, chunk: 'a' },
  );
});
