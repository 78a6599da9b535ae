import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import { idleSettings, makeRetriever } from '../../../src/job/prepare/retriever.ts';

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

test("makeRetriever() has the three encoders of MedRAG's larger fusion, the first with the words in one index", () => {
  assert.deepEqual(of('rrf4'), ['sidecar', ['medcpt', 'contriever', 'specter'], true, 100, 2]);
  assert.throws(
    () => makeRetriever({ RAG_RETRIEVER: 'rrf4', RAG_INDEX_VERSION: 'july' }),
    (error: Error & { hint?: string }) => codeOf(error) === 'settings' && /rrf2/.test(error.hint ?? ''),
  );
});

test('makeRetriever() tells each encoder of a fusion where its model is', () => {
  assert.deepEqual(makeRetriever({ RAG_RETRIEVER: 'rrf2=/models' }).encoders, ['medcpt=/models']);
  assert.deepEqual(makeRetriever({ RAG_RETRIEVER: 'rrf4=/m' }).encoders, [
    'medcpt=/m',
    'contriever=/m',
    'specter=/m',
  ]);
});

test('idleSettings() names what was given for embedders of Ollama and does nothing', () => {
  const given = { RAG_EMBED_DIMENSIONS: 256, RAG_QUERY_INSTRUCTION: 'Find the law' };
  assert.deepEqual(idleSettings({ ...given, RAG_RETRIEVER: 'ollama' }), []);
  assert.match(
    idleSettings({ ...given, RAG_RETRIEVER: 'medcpt' }).join(),
    /RAG_EMBED_DIMENSIONS is not used.*RAG_QUERY_INSTRUCTION is not used/,
  );
  const none = { RAG_EMBED_DIMENSIONS: undefined, RAG_QUERY_INSTRUCTION: undefined };
  assert.deepEqual(idleSettings({ ...none, RAG_RETRIEVER: 'bm25' }), []);
});
