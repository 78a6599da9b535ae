import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, nat, property } from 'fast-check';
import { share } from '../../src/models/rerank-share.ts';

test('share() gives every passage to exactly one child, in frames of at most 256', () => {
  const sizes = array(nat(10_000), { maxLength: 2_000 });
  const loads = array(nat(1_000_000), { maxLength: 8 });
  check(
    property(sizes, loads, (all, under) => {
      const parts = share(all, under);
      const places = parts.flatMap((part) => part.places).sort((a, b) => a - b);
      assert.deepEqual(
        places,
        all.map((_, place) => place),
      );
      assert.ok(parts.every((part) => part.places.length <= 256 && part.places.length > 0));
      assert.ok(parts.every(({ lane }) => lane < Math.max(1, under.length)));
      for (const { places: some, weight } of parts)
        assert.equal(
          weight,
          some.reduce((sum, place) => sum + (all[place] ?? 0), 0),
        );
    }),
    { numRuns: 50 },
  );
});

test('share() leaves out a child that has more to do than all of the list', () => {
  const lanes = share([10, 10, 10], [1000, 0, 0]).map(({ lane }) => lane);
  assert.deepEqual(lanes, [1, 2]);
});

test('share() puts passages of like length together, and cuts what one frame cannot hold', () => {
  assert.deepEqual(
    share([1, 9, 5], [0]).map(({ places }) => places),
    [[1, 2, 0]],
  );
  assert.equal(share([3 * 2 ** 20, 3 * 2 ** 20], [0]).length, 2);
});
