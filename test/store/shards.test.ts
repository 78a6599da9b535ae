/** A shard is taken from a writer that is believed to be gone and is not: what it acknowledges stays. */
import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { makeOwner } from '../../src/disk/owner.ts';
import { claimRecord } from '../../src/store/write/record.ts';
import { consolidate, removeMerged } from '../../src/store/consolidate/consolidate.ts';
import type { PackedRows } from '../../src/store/wire/protocol.ts';
import { indexFolder, openShard, sealShard, shardNames, type IndexFolder } from '../../src/store/tables.ts';
import { makeWriter } from '../../src/store/write/writer.ts';
import { scratchFolder } from './forked-host.ts';
import { encoder, rowsOf } from './samples.ts';

// LanceDB leaves folders where the temporary files go.
const temporary = await scratchFolder();
process.env['TMPDIR'] = temporary.path;
after(() => temporary[Symbol.asyncDispose]());

function packed(key: string): PackedRows {
  const [{ vector, ...row } = assert.fail()] = rowsOf({ key, texts: ['text'] });
  return { rows: [row], vectors: vector };
}

const rowsIn = async (folder: IndexFolder): Promise<number[]> => {
  const counts: number[] = [];
  for (const name of (await shardNames(folder, 'chunks')).sort())
    counts.push((await (await openShard(folder, name))?.countRows()) ?? 0);
  return counts.sort((a, b) => a - b);
};

test('what is added after a shard was sealed goes into another', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await claimRecord(scratch.path, encoder);
  const writer = makeWriter(folder, encoder, 'run', 0);
  await writer.append(packed('a'));
  await writer.append(packed('b'));
  await sealShard(folder, writer.own()?.name ?? assert.fail());
  await writer.append(packed('c'));
  assert.deepEqual(await rowsIn(folder), [1, 2]);
});

test('a shard that has grown since it was read is not removed', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await claimRecord(scratch.path, encoder);
  const writer = makeWriter(folder, encoder, 'run', 0);
  await writer.append(packed('a'));
  await writer.append(packed('b'));
  await removeMerged(folder, [{ name: writer.own()?.name ?? assert.fail(), rows: 1 }]);
  assert.deepEqual(await rowsIn(folder), [2]);
  const [name = assert.fail()] = await shardNames(folder, 'chunks');
  await removeMerged(folder, [{ name, rows: 2 }]);
  assert.deepEqual(await rowsIn(folder), []);
});

test('a folder of shards that nobody has owned for an hour goes with the next consolidation, a new one stays', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await claimRecord(scratch.path, encoder);
  for (const name of ['stray', 'claimed-just-now'])
    await mkdir(join(folder.shards, `${name}.lance`, '_indices'), { recursive: true });
  const twoHoursAgo = Date.now() / 1000 - 7200;
  await utimes(join(folder.shards, 'stray.lance'), twoHoursAgo, twoHoursAgo);
  await consolidate(folder, encoder);
  assert.deepEqual(await readdir(folder.shards), ['claimed-just-now.lance']);
});

test('a shard whose table was never made goes with the next consolidation when its writer has ended', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await claimRecord(scratch.path, encoder);
  const owners = { ended: { ...makeOwner(), started: 1 }, lives: makeOwner() };
  for (const [name, owner] of Object.entries(owners)) {
    await mkdir(join(folder.shards, `${name}.lance`), { recursive: true });
    await writeFile(join(folder.shards, `${name}.lance`, 'owner.json'), JSON.stringify(owner));
  }
  await consolidate(folder, encoder);
  assert.deepEqual(await readdir(folder.shards), ['lives.lance']);
});
