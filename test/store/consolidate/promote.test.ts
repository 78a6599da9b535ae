/** The shard of the first ingest becomes main by its name, where all of it belongs there. */
import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { makeOwner } from '../../../src/disk/owner.ts';
import { consolidate } from '../../../src/store/consolidate/consolidate.ts';
import { promoteShard } from '../../../src/store/consolidate/promote.ts';
import type { PackedRows } from '../../../src/store/wire/protocol.ts';
import { claimRecord } from '../../../src/store/write/record.ts';
import { indexFolder, openMain, type IndexFolder } from '../../../src/store/tables.ts';
import { readView } from '../../../src/store/view.ts';
import { makeWriter, type Writer } from '../../../src/store/write/writer.ts';
import { onlyShard, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf } from '../samples.ts';

// LanceDB leaves folders where the temporary files go.
const temporary = await scratchFolder();
process.env['TMPDIR'] = temporary.path;
after(() => temporary[Symbol.asyncDispose]());

/** Without `of` chunks the document is not complete. */
function packed(key: string, of = 1): PackedRows {
  const rows = rowsOf({ key, texts: Array.from({ length: of }, (_, at) => `text ${at}`) }).slice(0, 1);
  return {
    rows: rows.map(({ vector: _vector, ...row }) => row),
    vectors: Float32Array.from(rows.flatMap(({ vector }) => [...vector])),
  };
}

async function openWriter(root: string): Promise<{ folder: IndexFolder; writer: Writer }> {
  const folder = indexFolder(root, () => undefined);
  await claimRecord(root, encoder);
  return {
    folder,
    writer: makeWriter(folder, encoder, 'run', 0),
  };
}

const ours = async (): Promise<void> => undefined;
const promote = async (folder: IndexFolder): Promise<string | undefined> =>
  promoteShard(folder, await readView(folder), ours);

test('a shard of complete documents becomes main, and none of its files is written again', async () => {
  await using scratch = await scratchFolder();
  const { folder, writer } = await openWriter(scratch.path);
  await writer.append(packed('a'));
  await writer.append(packed('b'));
  const files = (await readdir(path.join(await onlyShard(scratch.path), 'data'))).sort();
  assert.equal(await promote(folder), writer.own()?.name);
  assert.deepEqual((await readdir(path.join(scratch.path, 'main.lance/data'))).sort(), files);
  assert.equal(await (await openMain(folder, 'chunks'))?.countRows(), 2);
  assert.equal(await promote(folder), undefined);
});

for (const [what, more] of [
  ['a document that is not complete', packed('b', 2)],
  ['a row that was sent twice', packed('a')],
] as const) {
  test(`a shard with ${what} is merged row by row`, async () => {
    await using scratch = await scratchFolder();
    const { folder, writer } = await openWriter(scratch.path);
    await writer.append(packed('a'));
    await writer.append(more);
    assert.equal(await promote(folder), undefined);
    assert.equal((await readView(folder)).shards.size, 1);
  });
}

test('a shard of many small pieces is merged, which makes them large', async () => {
  await using scratch = await scratchFolder();
  const { folder, writer } = await openWriter(scratch.path);
  for (let n = 0; n < 17; n++) await writer.append(packed(`d${n}`));
  assert.equal(await promote(folder), undefined);
});

test('a shard that was added to after it was read is merged row by row', async () => {
  await using scratch = await scratchFolder();
  const { folder, writer } = await openWriter(scratch.path);
  await writer.append(packed('a'));
  const view = await readView(folder);
  await writer.append(packed('b', 2));
  assert.equal(await promoteShard(folder, view, ours), undefined);
  assert.equal(await openMain(folder, 'chunks'), undefined);
});

test('a shard whose writer may wake and go on is merged row by row', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const elsewhere = indexFolder(
    scratch.path,
    () => undefined,
    () => ({ ...makeOwner(), place: 'another boot' }),
  );
  await makeWriter(elsewhere, encoder, 'run', 0).append(packed('a'));
  const versions = path.join(await onlyShard(scratch.path), '_versions');
  const anHourAgo = new Date(Date.now() - 3_600_000);
  for (const name of await readdir(versions)) await utimes(path.join(versions, name), anHourAgo, anHourAgo);
  const here = indexFolder(scratch.path, () => undefined);
  assert.equal(await promote(here), undefined);
  await consolidate(here, encoder);
  assert.equal(await (await openMain(here, 'chunks'))?.countRows(), 1);
  assert.equal((await readView(here)).shards.size, 0);
});
