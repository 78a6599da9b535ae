import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCorpus, corpusInputs } from '../../../src/job/prepare/corpus.ts';

const inputs = (RAG_CORPUS?: string, RAG_DB_DIR?: string): string[] =>
  corpusInputs({ RAG_CORPUS, RAG_DB_DIR });

test("MedRAG's names stand for the chunk folders of their corpora, however they are written", () => {
  assert.deepEqual(inputs('MedCorp', '/db/'), [
    '/db/pubmed/chunk',
    '/db/textbooks/chunk',
    '/db/statpearls/chunk',
    '/db/wikipedia/chunk',
  ]);
  assert.deepEqual(inputs('Textbooks', 'corpus'), ['corpus/textbooks/chunk']);
});

test('any other name is a file or folder of the data folder', () => {
  assert.deepEqual(inputs('wiki18_100w.jsonl', '~/retrieval-corpus'), [
    '~/retrieval-corpus/wiki18_100w.jsonl',
  ]);
});

test('a name without a folder, or a folder without a name, is an error that says what is wanted', () => {
  assert.deepEqual(inputs(), []);
  assert.throws(() => inputs('MedCorp'), { code: 'settings', message: /RAG_DB_DIR is wanted/ });
  assert.throws(() => inputs(undefined, '/db'), { code: 'settings', message: /RAG_CORPUS is wanted/ });
});

test('a corpus that is not where the settings say is told by their names', async () => {
  const settings = { RAG_CORPUS: 'Textbooks', RAG_DB_DIR: '/no/such/folder' };
  await assert.rejects(checkCorpus(settings), {
    code: 'no-input',
    message: /^Cannot find the corpus: RAG_CORPUS=Textbooks and RAG_DB_DIR=\/no\/such\/folder lead to/,
  });
  await checkCorpus({ RAG_CORPUS: undefined, RAG_DB_DIR: undefined });
  await checkCorpus({ RAG_CORPUS: 'null', RAG_DB_DIR: '/dev' });
});
