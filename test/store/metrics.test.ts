/** Indexes whose vectors are compared otherwise than by cosine, and one that has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { checkEncoder } from '../../src/store/write/encoder.ts';
import type { ChunkRow, EncoderRecord, Metric } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, rowsOf } from './samples.ts';
import { denseHits, textHits } from './hits.ts';

const plane: EncoderRecord = { ...encoder, dimensions: 2 };
const at = (key: string, ...vector: number[]): ChunkRow[] =>
  rowsOf({ key, texts: [`text of ${key}`] }).map((row) => ({ ...row, vector: Float32Array.from(vector) }));

/** Near is in the direction of the query and short, long is longest, beside is nearest to its end. */
const rows = [...at('near', 0.5, 0.5), ...at('long', 40, 8), ...at('beside', 2, 1)];
const query = Float32Array.of(2, 2);

for (const [metric, order, scores] of [
  ['dot', ['long', 'beside', 'near'], [96, 6, 2]],
  ['l2', ['beside', 'near', 'long'], [-1, -4.5, -1480]],
] as const satisfies readonly (readonly [Metric, readonly string[], readonly number[]])[]) {
  test(`vectors keep their length and are ranked by ${metric}, in a shard and when it is merged`, async () => {
    await using folder = await scratchFolder();
    await using forked = await openForkedStore(folder.path);
    const { store } = forked;
    await store.beginWriting({ ...plane, metric }, 'run');
    await store.append(rows);
    for (const step of ['in a shard', 'merged']) {
      const [hits = []] = await denseHits(store, [query], 3);
      assert.deepEqual(
        hits.map(({ document }) => document),
        order,
        step,
      );
      assert.deepEqual(
        hits.map(({ score }) => score),
        scores,
        step,
      );
      await store.consolidate();
    }
    assert.deepEqual((await store.verify()).problems, []);
  });
}

test('a number that half floats cannot hold is never stored', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting({ ...plane, metric: 'dot' }, 'run');
  await assert.rejects(store.append(at('large', 70_000, 1)), { code: 'bad-vector', message: /70000.*f16/ });
});

test('an index without vectors is written, merged, searched by words and verified', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting({ ...encoder, model: 'none', digest: '', dimensions: 0 }, 'run');
  await store.append([...at('a'), ...at('b')]);
  await store.consolidate();
  await store.append(at('c'));
  const [hits = []] = await textHits(store, ['text'], 5);
  assert.deepEqual(hits.map(({ document }) => document).toSorted(), ['a', 'b', 'c']);
  assert.deepEqual((await store.verify()).problems, []);
});

test('checkEncoder() tells what differs, and that an index has words alone', () => {
  const same = { ...plane, maxLength: 512, prefixes: { query: 'q: ', passage: 'p: ' } };
  checkEncoder(same, { ...same, prefixes: { query: 'other: ', passage: 'p: ' } });
  for (const [field, other] of [
    ['metric', { ...same, metric: 'dot' }],
    ['maxLength', { ...same, maxLength: 256 }],
    ['prefixes', { ...same, prefixes: { query: 'q: ', passage: '' } }],
  ] as const)
    assert.throws(
      () => checkEncoder(same, other),
      (error: Error) => codeOf(error) === 'index-mismatch' && error.message.includes(`${field} differs`),
    );
  const words = { ...encoder, model: 'none', digest: '', dimensions: 0 };
  assert.throws(() => checkEncoder(words, encoder), /made by words alone.*model differs/);
});
