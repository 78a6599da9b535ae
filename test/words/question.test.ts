/** The words of a question, in the languages of an index. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionWords } from '../../src/words/question.ts';

const formsOf = (question: string, ...present: string[]): string[] =>
  questionWords(question, present).map(
    ({ forms, count }) => `${forms.join('|')}${count > 1 ? ` x${count}` : ''}`,
  );

test('a word has a form for each language of the index, and one as it is where some texts are of none', () => {
  assert.deepEqual(formsOf('patients', 'en'), ['patient']);
  assert.deepEqual(formsOf('patients', '', 'de', 'en'), ['patient|patients']);
  assert.deepEqual(formsOf('Schmetterlinge', 'de', 'en'), ['schmetterling']);
});

test('a word that the question has twice counts twice', () => {
  assert.deepEqual(formsOf('cats and a cat', 'en'), ['cat x2']);
});

test('stop words of the language that a question is in are left out in all of them', () => {
  assert.deepEqual(formsOf('why do people die of the flu', 'de', 'en', ''), ['peopl|people', 'die', 'flu']);
  assert.deepEqual(formsOf('woran sterben die Menschen', 'de', 'en'), [
    'woran',
    'sterb|sterben',
    'mensch|menschen',
  ]);
});

test('a question of nothing but stop words asks for them where they are none', () => {
  assert.deepEqual(formsOf('die', 'de', 'en'), ['die']);
  assert.deepEqual(formsOf('the of', 'en'), []);
  assert.deepEqual(formsOf('the who', '', 'en'), ['the', 'who']);
});

test('of a document that is asked as a question the first words count', () => {
  const words = Array.from({ length: 1_000 }, (_, at) => `w${at}`);
  assert.deepEqual(formsOf(words.join(' '), ''), words.slice(0, 256));
});

test('nothing is asked by an empty question, nor of an empty index', () => {
  assert.deepEqual(formsOf('', 'en'), []);
  assert.deepEqual(formsOf('?!', 'en', ''), []);
  assert.deepEqual(formsOf('cat'), []);
});
