/** One consolidation at a time, and nobody waits for one whose process is gone. */
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { makeOwner } from '../../../src/disk/owner.ts';
import { indexFolder, type IndexFolder } from '../../../src/store/tables.ts';
import { inTurn } from '../../../src/store/consolidate/turn.ts';
import { scratchFolder } from '../forked-host.ts';

interface Place extends AsyncDisposable {
  readonly folder: IndexFolder;
  readonly claim: string;
}

async function openPlace(): Promise<Place> {
  const scratch = await scratchFolder();
  return {
    folder: indexFolder(scratch.path, () => undefined),
    claim: path.join(scratch.path, 'consolidating.json'),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

const anHourAgo = new Date(Date.now() - 3_600_000);

test('several at once go one after the other, and leave no claim', async () => {
  await using place = await openPlace();
  const at = { work: 0 };
  const turns = Array.from({ length: 3 }, () =>
    inTurn(place.folder, async () => {
      assert.equal(++at.work, 1);
      await pause(5);
      at.work--;
    }),
  );
  await Promise.all(turns);
  assert.deepEqual(await readdir(place.folder.root), []);
});

test('who waits for a holder that lives writes nothing, and leaves when it takes too long', async () => {
  await using place = await openPlace();
  await writeFile(place.claim, JSON.stringify(makeOwner()));
  const written: unknown[] = [];
  const watching = watch(place.folder.root, (_, name) => written.push(name));
  await inTurn(place.folder, () => assert.fail('it is not our turn'), { waitMs: 250 });
  await pause(10);
  watching.close();
  assert.deepEqual(written, []);
});

test('a claim of a process that is dead, of a node that is silent, or that nobody can read is taken', async () => {
  const elsewhere = JSON.stringify({ ...makeOwner(), place: 'another boot' });
  for (const holder of [JSON.stringify({ ...makeOwner(), started: 1 }), elsewhere, '{"no":']) {
    await using place = await openPlace();
    await writeFile(place.claim, holder);
    await utimes(place.claim, anHourAgo, anHourAgo);
    const done: string[] = [];
    await inTurn(place.folder, async () => void done.push('work'), { waitMs: 0 });
    assert.deepEqual(done, ['work'], holder);
  }
});

test('a claim of another node that was renewed a moment ago stands, and who works renews his', async () => {
  await using place = await openPlace();
  await writeFile(place.claim, JSON.stringify({ ...makeOwner(), place: 'another boot' }));
  await inTurn(place.folder, () => assert.fail('it is not our turn'), { waitMs: 0 });
  await using other = await openPlace();
  const renewed = async (): Promise<void> => {
    await utimes(other.claim, anHourAgo, anHourAgo);
    while ((await stat(other.claim)).mtimeMs === anHourAgo.getTime()) await pause(1);
  };
  await inTurn(other.folder, renewed, { beatMs: 5 });
  assert.deepEqual(await readdir(other.folder.root), []);
});

test('who has slept so long that another took his turn stops, and neither renews nor removes the other’s claim', async () => {
  await using place = await openPlace();
  const another = JSON.stringify({ ...makeOwner(), place: 'another boot' });
  const working = inTurn(
    place.folder,
    async (stillMine) => {
      await stillMine();
      await unlink(place.claim);
      await writeFile(place.claim, another);
      await utimes(place.claim, anHourAgo, anHourAgo);
      await pause(30); // some beats
      await stillMine();
      assert.fail('it is not his turn any more');
    },
    { beatMs: 5 },
  );
  assert.equal(await working, 'lost');
  assert.equal(await readFile(place.claim, 'utf8'), another);
  assert.equal((await stat(place.claim)).mtimeMs, anHourAgo.getTime());
});
