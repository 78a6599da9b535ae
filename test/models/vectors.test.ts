import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeVectors, readVectors } from '../../src/models/vectors.ts';

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

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}
const decode = (text: string, size: number, count = 2): Promise<Float32Array[]> =>
  decodeVectors(inPieces(text, size), { count, dimensions: null });

const answer = '{"model":"a [\\"embeddings\\":[[9]]","embeddings":[[0.6,0.8],[1,0]],"total_duration":[1]}';

test('decodeVectors() gives the same vectors wherever the answer is cut into pieces', async () => {
  const whole = readVectors(JSON.parse(answer), { count: 2, dimensions: null });
  for (let size = 1; size <= answer.length; size++) assert.deepEqual(await decode(answer, size), whole);
  assert.deepEqual(await decode(JSON.stringify(JSON.parse(answer), null, 2), 7), whole);
});

for (const [what, text, code] of [
  ['breaks off before its vectors', '{"model":"a"', 'model-unavailable'],
  ['breaks off in a vector', answer.slice(0, 60), 'model-unavailable'],
  ['breaks off between two vectors', answer.slice(0, answer.indexOf('[1,0]')), 'model-unavailable'],
  ['has a number that is none', answer.replace('0.6', 'NaN'), 'model-unavailable'],
  ['has null in the place of NaN', answer.replace('0.6', 'null'), 'bad-vector'],
  ['has no vectors', '{"embeddings":null}', 'bad-vector'],
  ['has an empty list', '{"embeddings":[]}', 'bad-vector'],
  ['has too few', '{"embeddings":[[0.6,0.8]]}', 'bad-vector'],
  ['has one of another size', '{"embeddings":[[0.6,0.8],[1]]}', 'bad-vector'],
] as const) {
  test(`decodeVectors() refuses an answer that ${what}`, async () => {
    for (const size of [1, 5, 1000]) await assert.rejects(decode(text, size), { code });
  });
}
