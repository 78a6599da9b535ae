import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../../src/config/load.ts';
import { evaluationFlags, settingsInForce } from '../../../src/job/eval/settings.ts';
import type { Collection } from '../../../src/query/eval/collection.ts';

const loaded = (environment: Readonly<Record<string, string>>): ReturnType<typeof load> =>
  load({ flags: {}, environment: { HOME: '/tmp', ...environment }, file: undefined });

test('the manifest tells the constant of fusion that was in force, whoever chose it', () => {
  const constant = (environment: Readonly<Record<string, string>>): unknown =>
    settingsInForce(loaded(environment).settings)['RAG_RRF_K'];
  assert.equal(constant({}), 60);
  assert.equal(constant({ RAG_RETRIEVER: 'rrf2' }), 100);
  assert.equal(constant({ RAG_RETRIEVER: 'rrf2', RAG_RRF_K: '7' }), 7);
});

test('an evaluation has an index for each encoder, and retrievers with the same one share it', () => {
  const collection = { name: 'tiny', questions: [] } as unknown as Collection;
  const folder = (RAG_RETRIEVER: string): string | undefined =>
    evaluationFlags(loaded({ RAG_RETRIEVER }), collection, { corpus: '/corpus.jsonl', sha256: 'abc' })
      .RAG_WORKING_DIR;
  assert.equal(folder('medcpt'), folder('rrf2'));
  assert.equal(folder('medcpt'), folder('bm25+medcpt'));
  assert.equal(new Set(['ollama', 'bm25', 'medcpt', 'e5', 'rrf4'].map(folder)).size, 5);
});
