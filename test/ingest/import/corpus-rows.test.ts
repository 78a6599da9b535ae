import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fewRows, numberedSlices } from '../../../src/ingest/import/corpus-rows.ts';
import { scratchFolder } from '../../store/forked-host.ts';

const never = new AbortController().signal;

test('rows are numbered over slices; blank lines have no number, and the last line needs no end', async () => {
  await using scratch = await scratchFolder();
  const path = join(scratch.path, 'corpus.jsonl');
  const line = (n: number): string => JSON.stringify({ id: n, contents: 'x'.repeat(300_000 + 1000 * n) });
  const lines = Array.from({ length: 40 }, (_, n) => line(n));
  writeFileSync(path, `${lines.slice(0, 20).join('\n')}\n\n  \n${lines.slice(20).join('\n')}`);
  const slices = await numberedSlices(path, never);
  assert.ok(slices.length > 5);
  const bytes = readFileSync(path);
  let [at, row] = [0, 0];
  for (const slice of slices) {
    assert.deepEqual([slice.from, slice.first], [at, row]);
    const ids = bytes
      .toString('latin1', slice.from, slice.to)
      .split('\n')
      .filter((text) => text.trim() !== '')
      .map((text) => (JSON.parse(text) as { id: number }).id);
    assert.deepEqual(
      ids,
      Array.from({ length: slice.rows }, (_, n) => row + n),
    );
    [at, row] = [slice.to, row + slice.rows];
  }
  assert.deepEqual([at, row], [bytes.length, 40]);
});

test('an empty file has no slices', async () => {
  await using scratch = await scratchFolder();
  const path = join(scratch.path, 'empty.jsonl');
  writeFileSync(path, '');
  assert.deepEqual(await numberedSlices(path, never), []);
});

test('a few rows are cut out of a slice, over blank lines and up to its end', async () => {
  await using scratch = await scratchFolder();
  const path = join(scratch.path, 'corpus.jsonl');
  writeFileSync(path, '{"id":0}\n\n{"id":1}\n{"id":2}\n \n{"id":3}');
  const [slice] = await numberedSlices(path, never);
  assert.ok(slice !== undefined);
  const textOf = async (row: number, count: number): Promise<string> => {
    const { from, to, first, rows } = await fewRows(path, slice, row, count);
    return `${first}+${rows} ${readFileSync(path, 'latin1').slice(from, to).replaceAll(/\s/gu, '')}`;
  };
  assert.equal(await textOf(0, 2), '0+2 {"id":0}{"id":1}');
  assert.equal(await textOf(2, 1), '2+1 {"id":2}');
  assert.equal(await textOf(2, 9), '2+2 {"id":2}{"id":3}');
});
