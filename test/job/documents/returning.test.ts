/** What was taken out of the index and comes back, or must not. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openUploads } from '../../../src/ingest/uploads/uploads.ts';
import { makeLeaving } from '../../../src/job/documents/leaving.ts';
import type { Store } from '../../../src/store/types.ts';
import { until } from '../../until.ts';
import { open, serving, untilDone } from './library-world.ts';

test('what was removed and is sent again is ingested again, with its very bytes and name', async () => {
  await using world = await open();
  await serving(world, async () => {
    await world.send('a.md', 'a text\n');
    await untilDone(world);
    assert.deepEqual(await world.library.remove({ ids: ['uploads//a.md'] }), ['uploads//a.md']);
    assert.deepEqual(await world.list(), []);
    assert.partialDeepStrictEqual(await world.send('a.md', 'a text\n'), [{ state: 'pending' }]);
    await untilDone(world);
    assert.deepEqual(await world.list(), ['uploads//a.md processed 1']);
  });
});

test('so it is when it is removed while it is being ingested', async () => {
  await using world = await open();
  const held = world.hold();
  await serving(world, async () => {
    await world.send('a.md', 'a text\n');
    await until(() => held.waiting() > 0, 'the text at the embedder');
    await world.library.remove({ ids: ['uploads//a.md'] });
    await world.send('a.md', 'a text\n');
    held.release();
    await untilDone(world);
  });
  assert.deepEqual(await world.list(), ['uploads//a.md processed 1']);
});

test('what another supervisor removed while it was ingested here does not stay', async () => {
  await using world = await open();
  const held = world.hold();
  await serving(world, async () => {
    await world.send('a.md', 'a text\n');
    await until(() => held.waiting() > 0, 'the text at the embedder');
    await openUploads(join(world.folder, 'index'), 0).remove(['uploads//a.md']);
    held.release();
    await untilDone(world);
  });
  assert.deepEqual(await world.list(), []);
});

test('what another supervisor has given a content of its own meanwhile is not taken out', async () => {
  await using world = await open();
  await world.send('a.md', 'shared text\n');
  await world.send('b.md', 'shared text\n');
  await world.run();
  await using other = await open(world.folder);
  // `b.md` is a further name here, and a document there.
  await other.send('b.md', 'a text of its own\n');
  await other.run();
  await world.send('a.md', 'shared text\n');
  assert.deepEqual(await other.list(), [
    'paper.md processed 1',
    'uploads//a.md processed 1',
    'uploads//b.md processed 1',
  ]);
});

test('a name that went over to another content leaves nothing, although its run died before it could say so', async () => {
  await using world = await open();
  await world.send('a.md', 'first edition\n');
  await world.send('b.md', 'shared text\n');
  await world.run();
  /** As a run that is killed behind this leaves it. */
  const nameOnly = async (): Promise<void> => {
    const uploads = openUploads(join(world.folder, 'index'), 0);
    const [b] = [...(await uploads.read()).values()].filter(({ key }) => key === 'uploads//b.md');
    await uploads.name([{ name: 'a.md', hash: b?.hash ?? '', bytes: b?.bytes ?? 0 }]);
  };
  const healed = ['paper.md processed 1', 'uploads//b.md processed 1'];
  await nameOnly();
  assert.deepEqual(await world.list(), ['paper.md processed 1', 'uploads//a.md processed 1', healed[1]]);
  await world.send('a.md', 'shared text\n');
  assert.deepEqual(await world.list(), healed, 'sent again');

  await world.send('a.md', 'first edition\n');
  await world.run();
  await nameOnly();
  assert.deepEqual(await world.library.remove({ ids: ['uploads//a.md'] }), ['uploads//a.md']);
  assert.deepEqual(await world.list(), healed, 'removed');

  await world.send('a.md', 'first edition\n');
  await world.run();
  await nameOnly();
  await using next = await open(world.folder);
  await serving(next, async () => {
    for (let looks = 0; (await next.list()).length > 2; looks += 1) assert.ok(looks < 1000);
  });
  assert.deepEqual(await next.list(), healed, 'by the next run');
});

test('nothing of what has left is committed any more, and a removal waits for what is being committed', async () => {
  const appended: string[][] = [];
  const first = Promise.withResolvers<void>();
  const store = {
    append: async (rows: readonly { document: string }[]) => {
      appended.push(rows.map(({ document }) => document));
      if (appended.length === 1) await first.promise;
      return [];
    },
  } as unknown as Store;
  const leaving = makeLeaving();
  const guarded = leaving.guard(store);
  const rows = ['a', 'b', 'c#1', 'c#2'].map((document) => ({ document })) as unknown as Parameters<
    Store['append']
  >[0];
  const commit = guarded.append(rows);
  let over = false;
  const left = leaving.leave(['a', 'c']).then(() => (over = true));
  await guarded.append(rows);
  assert.equal(over, false);
  first.resolve();
  await Promise.all([commit, left]);
  leaving.forget();
  await guarded.append(rows);
  assert.deepEqual(appended, [['a', 'b', 'c#1', 'c#2'], ['b'], ['a', 'b', 'c#1', 'c#2']]);
});

for (const [what, hide] of [
  ['cannot be read', (path: string) => mkdir(path)],
  ['shows as empty for a moment', (path: string) => writeFile(path, '')],
] as const)
  test(`a name that ${what} costs nobody his bytes, and nobody else anything`, async () => {
    await using world = await open();
    await world.send('a.md', 'a text\n');
    await world.run();
    const names = join(world.folder, 'index/uploads/names');
    const [file = ''] = await readdir(names);
    await rename(join(names, file), join(world.folder, 'aside'));
    await hide(join(names, file));
    await using other = await open(world.folder);
    assert.deepEqual((await other.run()).documents, { processed: 0, unchanged: 1, failed: 0, needs_ocr: 0 });
    // Its content gets another name, which is taken away again: that would be the last one.
    await other.send('b.md', 'a text\n');
    await other.library.remove({ ids: ['uploads//b.md'] });
    await rm(join(names, file), { recursive: true });
    await rename(join(world.folder, 'aside'), join(names, file));
    await using next = await open(world.folder);
    await next.library.remove({ ids: ['paper.md'] });
    const { documents } = await next.run();
    assert.deepEqual([documents.failed, documents.processed + documents.unchanged], [0, 2]);
    assert.deepEqual(await next.list(), ['paper.md processed 1', 'uploads//a.md processed 1']);
  });
