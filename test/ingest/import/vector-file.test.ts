import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, toPlain } from '../../../src/errors.ts';
import { openVectors } from '../../../src/ingest/import/vector-file.ts';
import { scratchFolder } from '../../store/forked-host.ts';
import { vectorOf } from '../../store/samples.ts';
import { faissFlat, floats, halves, npy } from './vector-samples.ts';

const dimensions = 8;
const rows = Array.from({ length: 5 }, (_, n) => vectorOf(`row ${n}`));
const shape = '5, 8';

async function written(content: Buffer, use: (path: string) => Promise<void>): Promise<void> {
  await using scratch = await scratchFolder();
  const path = join(scratch.path, "vectors of 'mine'");
  writeFileSync(path, content);
  await use(path);
}

const readable: ReadonlyArray<readonly [string, Buffer]> = [
  ['.npy of version 1', npy(floats(rows), { shape })],
  ['.npy of version 2', npy(floats(rows), { shape, version: 2 })],
  ['.npy of half floats', npy(halves(rows), { shape, descr: '<f2' })],
  ['memmap', floats(rows)],
  ['IndexFlatIP', faissFlat(rows)],
  ['IndexFlatL2', faissFlat(rows, 'IxF2', 1)],
  ['IndexFlat with a metric that has an argument', faissFlat(rows, 'IxFl', 4)],
];
for (const [name, content] of readable) {
  test(`the rows of a ${name} are read, in any order`, () =>
    written(content, async (path) => {
      const file = await openVectors(path, dimensions);
      assert.deepEqual([file.head.rows, file.head.dimensions], [5, 8]);
      const tolerance = file.head.type === 'f16' ? 1e-3 : 0;
      for (const row of [0, 1, 2, 3, 4, 1]) {
        const vector = await file.at(row);
        assert.equal(vector.length, dimensions);
        for (const [at, value] of vector.entries())
          assert.ok(Math.abs(value - (rows[row]?.[at] ?? 9)) <= tolerance, `${row} ${at}`);
      }
    }));
}

test('rows beyond one window are read from the next', () => {
  const [wide, count] = [65_536, 40];
  const many = Array.from({ length: count }, (_, n) => new Float32Array(wide).fill(n));
  return written(floats(many), async (path) => {
    const file = await openVectors(path, wide);
    for (const row of [0, 17, 39, 3])
      assert.deepEqual([(await file.at(row))[0], (await file.at(row)).at(-1)], [row, row]);
  });
});

const refused: ReadonlyArray<readonly [string, Buffer, RegExp, RegExp]> = [
  ['columns after each other', npy(floats(rows), { shape, order: true }), /Fortran/, /np\.ascontiguousarray/],
  ['doubles', npy(Buffer.alloc(5 * 8 * 8), { shape, descr: '<f8' }), /<f8/, /np\.save/],
  ['three dimensions', npy(floats(rows), { shape: '5, 4, 2' }), /no table/, /./],
  ['a file that is cut off', npy(floats(rows), { shape }).subarray(0, -20), /after 4 of 5 rows/, /./],
  ['a head that is cut off', npy(floats(rows), { shape }).subarray(0, 30), /head is cut off/, /./],
  [
    'something behind the rows',
    npy(Buffer.concat([floats(rows), Buffer.alloc(4)]), { shape }),
    /goes on behind/,
    /./,
  ],
  ['FAISS, compressed', faissFlat(rows, 'IxPQ'), /kind IxPQ, a flat one/, /faiss\.write_index/],
  ['FAISS, a graph', faissFlat(rows, 'IHNf'), /kind IHNf/, /reconstruct_n/],
  ['FAISS, cut off', faissFlat(rows).subarray(0, -1), /after 4 of 5 rows/, /./],
  ['numbers that are no rows', floats(rows).subarray(4), /no rows of 8 float32/, /--dimensions/],
  ['nothing', Buffer.alloc(0), /no rows of 8/, /./],
];
for (const [name, content, message, hint] of refused) {
  test(`${name}: refused, with the mend`, () =>
    written(content, async (path) => {
      await assert.rejects(openVectors(path, dimensions), (error) => {
        assert.equal(codeOf(error), 'bad-document');
        assert.match(toPlain(error).message, message);
        assert.match(toPlain(error).hint ?? '-', hint);
        return true;
      });
    }));
}
