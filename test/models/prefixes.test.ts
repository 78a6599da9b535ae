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

const sentence = 'Represent this sentence for searching relevant passages: ';
const task = 'Given a web search query, retrieve relevant passages that answer the query';

/** As the model cards say; names as Ollama's library, Hugging Face and people write them. */
for (const [model, query, passage] of [
  ['Qwen3-Embedding:0.6b', `Instruct: ${task}\nQuery:`, ''],
  ['nomic-embed-text', 'search_query: ', 'search_document: '],
  ['nomic-embed-text-v2-moe', 'search_query: ', 'search_document: '],
  ['mxbai-embed-large:335m', sentence, ''],
  ['hf.co/mixedbread-ai/deepset-mxbai-embed-de-large-v1', 'query: ', 'passage: '],
  ['bge-large:335m', sentence, ''],
  ['hf.co/CompendiumLabs/bge-base-en-v1.5-gguf:q8_0', sentence, ''],
  ['quentinz/bge-large-zh-v1.5', '为这个句子生成表示以用于检索相关文章：', ''],
  ['bge-multilingual-gemma2', `<instruct>${task}\n<query>`, ''],
  ['bge-m3', '', ''],
  ['jeffh/intfloat-multilingual-e5-large:f16', 'query: ', 'passage: '],
  ['e5-small-v2', 'query: ', 'passage: '],
  ['jeffh/intfloat-multilingual-e5-large-instruct:f16', `Instruct: ${task}\nQuery: `, ''],
  ['rjmalagon/gte-qwen2-1.5b-instruct-embed-f16', `Instruct: ${task}\nQuery: `, ''],
  ['avr/sfr-embedding-mistral', `Instruct: ${task}\nQuery: `, ''],
  ['snowflake-arctic-embed:137m', sentence, ''],
  ['snowflake-arctic-embed-m-v1.5', sentence, ''],
  ['snowflake-arctic-embed2', 'query: ', ''],
  ['hf.co/Casual-Autopsy/snowflake-arctic-embed-l-v2.0-gguf', 'query: ', ''],
  ['embeddinggemma:300m', 'task: search result | query: ', 'title: none | text: '],
  ['granite-embedding:278m', '', ''],
  ['all-minilm', '', ''],
  ['embedded-hashing', '', ''],
] as const) {
  test(`prefixesFor() knows the family of ${model}`, () => {
    assert.deepEqual(prefixesFor(model), { query, passage });
  });
}

test('prefixesFor() puts an instruction of the user where a family takes one, and nowhere else', () => {
  for (const model of ['qwen3-embedding:8b', 'multilingual-e5-large-instruct', 'bge-en-icl'])
    assert.match(prefixesFor(model, 'Find the law').query, /Find the law/);
  for (const model of ['nomic-embed-text', 'bge-m3', 'e5-large'])
    assert.doesNotMatch(prefixesFor(model, 'Find the law').query, /Find the law/);
});
