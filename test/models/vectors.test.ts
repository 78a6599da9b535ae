import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors } from '../../src/models/vectors.ts';

const read = (embeddings: unknown, count = 1, dimensions: number | null = null): Float32Array[] =>
  readVectors({ embeddings }, { count, dimensions });

test('readVectors() makes almost-unit vectors exact', () => {
  const [vector] = read([[0.6004, 0.8003]]);
  assert.ok(Math.abs(Math.hypot(...(vector ?? [])) - 1) < 1e-6);
});

for (const [what, embeddings] of [
  ['nothing', undefined],
  ['too few vectors', [[1, 0]]],
  [
    'vectors of different sizes',
    [
      [1, 0],
      [1, 0, 0],
    ],
  ],
  ['empty vectors', [[], []]],
  [
    'null in the place of NaN',
    [
      [1, 0],
      [null, 1],
    ],
  ],
  [
    'a norm far from 1',
    [
      [1, 0],
      [3, 4],
    ],
  ],
  [
    'a vector of zeros',
    [
      [1, 0],
      [0, 0],
    ],
  ],
] as const) {
  test(`readVectors() refuses ${what}`, () => {
    assert.throws(() => read(embeddings, 2), { code: 'bad-vector' });
  });
}

test('readVectors() refuses a size that is not the wanted one', () => {
  assert.throws(() => read([[1, 0]], 1, 3), {
    code: 'bad-vector',
    message: /size is 2, 3 dimensions are wanted/,
  });
});
