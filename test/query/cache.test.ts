import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRetrievalCache } from '../../src/query/cache.ts';
import { hit } from './hits.ts';

const text = 'x'.repeat(1000);
const hits = [hit('a', text)];

test('the cache never holds more than its bound, and lets go what was not asked for the longest', () => {
  const cache = makeRetrievalCache(10_000);
  cache.at('1');
  for (const key of ['a', 'b', 'c']) cache.set(key, hits, '1');
  cache.get('a');
  cache.set('d', hits, '1');
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined),
    ['a', 'c', 'd'],
  );
  const { cache_bytes, cache_entries } = cache.figures();
  assert.ok(cache_bytes <= 10_000 && cache_bytes > 3 * 2 * text.length, `${cache_bytes}`);
  assert.equal(cache_entries, 3);
});

test('what is larger than the cache pushes nothing out of it', () => {
  const cache = makeRetrievalCache(5000);
  cache.at('1');
  cache.set('small', hits, '1');
  cache.set('large', [hit('b', text.repeat(3))], '1');
  assert.deepEqual([cache.get('small'), cache.get('large')], [hits, undefined]);
});

test('a key that is set again counts once', () => {
  const cache = makeRetrievalCache(1e6);
  cache.at('1');
  cache.set('a', hits, '1');
  const { cache_bytes } = cache.figures();
  cache.set('a', hits, '1');
  assert.equal(cache.figures().cache_bytes, cache_bytes);
});

test('a cache of another version is empty and takes nothing of the old one', () => {
  const cache = makeRetrievalCache(1e6);
  cache.at('1');
  cache.set('a', hits, '1');
  cache.at('2');
  cache.set('b', hits, '1');
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.figures().cache_bytes], [undefined, undefined, 0]);
});
