/** Whose a shard is: what decides whether a consolidation may take it. */
import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { makeOwner, type Owner } from '../../../src/disk/owner.ts';
import { isFree, newOwner } from '../../../src/store/consolidate/shard-owner.ts';
import { indexFolder, type IndexFolder } from '../../../src/store/tables.ts';
import { scratchFolder } from '../forked-host.ts';

async function writeShard(folder: IndexFolder, owner: string): Promise<void> {
  const shard = path.join(folder.shards, 'run.lance');
  await mkdir(path.join(shard, '_versions'), { recursive: true });
  await writeFile(path.join(shard, '_versions/1.manifest'), 'LANC');
  await writeFile(path.join(shard, 'owner.json'), owner);
}

const cases: Readonly<Record<string, [Partial<Owner>, boolean]>> = {
  'of another process that lives': [{}, false],
  'of a process whose number we have now': [{ started: 1 }, true],
  'of the process on another node that has our number': [{ place: 'another boot' }, false],
};
for (const [whose, [difference, free]] of Object.entries(cases))
  test(`a shard ${whose} is ${free ? 'free' : 'left alone'}`, async () => {
    await using scratch = await scratchFolder();
    const folder = indexFolder(scratch.path, () => undefined);
    await writeShard(folder, JSON.stringify({ ...makeOwner(), ...difference }));
    assert.equal(await isFree(folder, 'run'), free);
  });

test('a shard that we made is free to us, and one that is nobody’s to all', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await writeShard(folder, newOwner(folder));
  assert.equal(await isFree(folder, 'run'), true);
  assert.equal(await isFree(indexFolder(scratch.path, folder.say), 'run'), false);
  await writeShard(folder, '{}');
  assert.equal(await isFree(folder, 'run'), true);
});

test('a shard of another node is free when it was silent for long', async () => {
  await using scratch = await scratchFolder();
  const folder = indexFolder(scratch.path, () => undefined);
  await writeShard(folder, JSON.stringify({ ...makeOwner(), place: 'another boot' }));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(path.join(folder.shards, 'run.lance/_versions/1.manifest'), anHourAgo, anHourAgo);
  assert.equal(await isFree(folder, 'run'), true);
});
