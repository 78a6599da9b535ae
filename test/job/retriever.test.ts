import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeRetriever } from '../../src/job/retriever.ts';

const of = (RAG_RETRIEVER: string): unknown[] => {
  const { embedder, encoders, lexical, rrfK, depthPerHit } = makeRetriever({ RAG_RETRIEVER });
  return [embedder, encoders, lexical, rrfK, depthPerHit];
};

test('makeRetriever() fuses the embedder of Ollama with BM25, and no encoder that was asked for alone', () => {
  assert.deepEqual(of('ollama'), ['ollama', [], true, 60, 1]);
  assert.deepEqual(of('medcpt'), ['sidecar', ['medcpt'], false, 60, 1]);
  assert.deepEqual(of('/models/e5'), ['sidecar', ['/models/e5'], false, 60, 1]);
  assert.deepEqual(of('bm25+/models/e5'), ['sidecar', ['/models/e5'], true, 60, 1]);
});

test('makeRetriever() needs no embedder for bm25', () => {
  assert.deepEqual(of('bm25'), ['none', [], true, 60, 1]);
});

test("makeRetriever() gives MedRAG's fusion its constant and its depth", () => {
  assert.deepEqual(of('rrf2'), ['sidecar', ['medcpt'], true, 100, 2]);
});

test('makeRetriever() refuses a fusion of several encoders, and says which there is', () => {
  assert.throws(
    () => of('rrf4'),
    (error: Error & { hint?: string }) => codeOf(error) === 'settings' && /rrf2/.test(error.hint ?? ''),
  );
});
