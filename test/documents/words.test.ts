/** Documents carry the words that a lexical search sees, in their own language. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkBlocks } from '../../src/documents/chunk.ts';
import { parseHtml } from '../../src/documents/html.ts';
import { parseRows } from '../../src/documents/rows.ts';
import { analyseChunks } from '../../src/documents/words.ts';

const chunker = { targetTokens: 40, overlapTokens: 0 };

const rowOf = (row: object): ReturnType<typeof parseRows>[number] => {
  const [document] = parseRows(
    Buffer.from(JSON.stringify(row)),
    { corpus: 'c.jsonl', file: '/c.jsonl', from: 0 },
    chunker,
  );
  return document ?? assert.fail('a row is a document');
};

test('every chunk of a row has the words of title and text, stemmed as the row is written', () => {
  const text = 'Die Häuser der Stadt sind alt und nicht sehr groß. '.repeat(12);
  const document = rowOf({ id: 1, title: 'Häuser', text });
  assert.ok(document.state === 'parsed' && document.chunks.length > 1);
  assert.equal(document.language, 'de');
  for (const { words, length } of document.chunks) {
    assert.match(words, /^haus haus stadt alt gross/);
    assert.equal(length, words.split(' ').length);
  }
});

test('the language of a document is that of its text, and what it says itself where the text is too short', () => {
  const languageOfPage = (html: string): string => {
    const { title = '', blocks, language } = parseHtml(html);
    return analyseChunks(title, chunkBlocks(blocks, chunker), language).language;
  };
  const german = '<p>Die Häuser der Stadt sind alt und nicht sehr groß.</p>';
  assert.equal(languageOfPage(`<html lang="en"><body>${german}</body></html>`), 'de');
  assert.equal(languageOfPage('<html lang="de-CH"><body><p>Impressum 2024</p></body></html>'), 'de');
  assert.equal(languageOfPage('<html xml:lang="fr"><body><p>Impressum 2024</p></body></html>'), 'fr');
  assert.equal(languageOfPage('<body><p>Impressum 2024</p></body>'), '');
});
