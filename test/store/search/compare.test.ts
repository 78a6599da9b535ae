import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparison, makeReader } from '../../../src/store/search/compare.ts';
import { fromHalf, toHalf } from '../../../src/store/write/half.ts';

test('every finite half float is read as the number that it stands for', () => {
  const finite = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7c00) !== 0x7c00,
  );
  assert.deepEqual(makeReader(finite.length)(finite, 0), fromHalf(finite));
});

test('vectors are compared from where they begin, half floats and single ones, of any length', () => {
  const stored = Float32Array.of(9, 9, 9, 1, -2, 0.5, 4, 0.25);
  const question = Float32Array.of(2, 1, 4, -1, 8);
  for (const vectors of [stored, toHalf(stored)]) {
    assert.equal(comparison('dot', 5)(question, vectors, 3), 2 - 2 + 2 - 4 + 2);
    assert.equal(comparison('cosine', 5)(question, vectors, 3), 0);
    assert.equal(comparison('l2', 5)(question, vectors, 3), -(1 + 9 + 12.25 + 25 + 60.0625));
  }
});
