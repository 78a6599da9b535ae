import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixesFor } from '../../src/models/prefixes.ts';

test('prefixesFor() gives qwen3-embedding an instruction for queries and nothing for passages', () => {
  assert.deepEqual(prefixesFor('qwen3-embedding:8b', 'Find the law'), {
    query: 'Instruct: Find the law\nQuery:',
    passage: '',
  });
  assert.match(
    prefixesFor('hf.co/Qwen/Qwen3-Embedding-8B-GGUF:Q4_K_M').query,
    /^Instruct: Given a web search query/,
  );
});

for (const [model, query, passage] of [
  ['nomic-embed-text', 'search_query: ', 'search_document: '],
  ['mxbai-embed-large:335m', 'Represent this sentence for searching relevant passages: ', ''],
  ['bge-large:335m', 'Represent this sentence for searching relevant passages: ', ''],
  ['bge-m3', '', ''],
  ['jeffh/intfloat-multilingual-e5-large:f16', 'query: ', 'passage: '],
  ['snowflake-arctic-embed:137m', 'Represent this sentence for searching relevant passages: ', ''],
  ['snowflake-arctic-embed2', 'query: ', ''],
  ['embedded-hashing', '', ''],
] as const) {
  test(`prefixesFor() knows the family of ${model}`, () => {
    assert.deepEqual(prefixesFor(model), { query, passage });
  });
}
