import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fuse } from '../../src/query/fuse.ts';

const ranking = fc
  .uniqueArray(fc.stringMatching(/^[a-f]{1,2}$/))
  .map((ids) => ids.map((chunk) => ({ chunk })));
const ids = (fused: readonly { hit: { chunk: string } }[]): string[] => fused.map(({ hit }) => hit.chunk);

test('fuse() sums 1 / (k + rank), ranks from 1', () => {
  const [a, b] = fuse([[{ chunk: 'a' }, { chunk: 'b' }], [{ chunk: 'a' }]], 60);
  assert.deepEqual(a, { hit: { chunk: 'a' }, score: 1 / 61 + 1 / 61 });
  assert.deepEqual(b, { hit: { chunk: 'b' }, score: 1 / 62 });
});

test('fuse() breaks ties by chunk id', () => {
  assert.deepEqual(ids(fuse([[{ chunk: 'b' }], [{ chunk: 'a' }]], 60)), ['a', 'b']);
});

test('fuse() counts a chunk that stands twice in a ranking once, at its better rank', () => {
  const [a] = fuse([[{ chunk: 'a' }, { chunk: 'b' }, { chunk: 'a' }]], 60);
  assert.equal(a?.score, 1 / 61);
});

test('fuse() holds every chunk once, best first, whichever ranking comes first', () => {
  fc.assert(
    fc.property(ranking, ranking, fc.integer({ min: 0, max: 100 }), (one, two, k) => {
      const fused = fuse([one, two], k);
      assert.deepEqual(new Set(ids(fused)), new Set([...one, ...two].map(({ chunk }) => chunk)));
      assert.equal(new Set(ids(fused)).size, fused.length);
      for (let i = 1; i < fused.length; i += 1)
        assert.ok((fused[i - 1]?.score ?? 0) >= (fused[i]?.score ?? 0));
      assert.deepEqual(ids(fuse([two, one], k)), ids(fused));
    }),
  );
});

test('fuse() never puts a chunk behind one that both rankings put behind it', () => {
  fc.assert(
    fc.property(ranking, ranking, (one, two) => {
      const order = ids(fuse([one, two], 60));
      const rank = (list: readonly { chunk: string }[], id: string): number => {
        const at = list.findIndex(({ chunk }) => chunk === id);
        return at < 0 ? Infinity : at;
      };
      for (const a of order)
        for (const b of order)
          if (rank(one, a) < rank(one, b) && rank(two, a) < rank(two, b))
            assert.ok(order.indexOf(a) < order.indexOf(b));
    }),
  );
});
