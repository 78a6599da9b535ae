import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileLabels, rowLabels } from '../../src/documents/labels.ts';

test('the fields of a row and of its metadata are its labels, a list gives one for each element', () => {
  const row = {
    id: 7,
    title: 'T',
    contents: 'text',
    year: 2021,
    mesh: ['Aspirin', 'Dose'],
    open: true,
    metadata: { journal: 'BMJ', nested: { a: 1 }, gone: null },
  };
  assert.deepEqual(rowLabels(row), ['year=2021', 'mesh=Aspirin', 'mesh=Dose', 'open=true', 'journal=BMJ']);
});

test('a row has at most 32 labels, none of a long text, none under a strange name, none twice', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, at]));
  assert.equal(rowLabels(many).length, 32);
  assert.deepEqual(rowLabels({ abstract: 'x'.repeat(201), 'a=b': 1, '': 2, list: ['x', 'x'] }), ['list=x']);
});

test('a file is labelled with its type', () => {
  assert.deepEqual(fileLabels('/corpus/Report.PDF'), ['type=pdf']);
  assert.deepEqual(fileLabels('/corpus/README'), []);
  assert.deepEqual(fileLabels('/corpus/odd.a b'), []);
});
