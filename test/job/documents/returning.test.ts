/** What was taken out of the index and comes back, or must not. */
import assert from 'node:assert/strict';
import { readdir, rename, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openUploads } from '../../../src/ingest/uploads/uploads.ts';
import { makeLeaving } from '../../../src/job/documents/leaving.ts';
import type { Store } from '../../../src/store/types.ts';
import { until } from '../../until.ts';
import { never, open, serving, untilDone } from './library-world.ts';

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

test('a name that cannot be read costs nobody his bytes', async () => {
  await using world = await open();
  await world.send('a.md', 'a text\n');
  const names = join(world.folder, 'index/uploads/names');
  const [file = ''] = await readdir(names);
  await rename(join(names, file), join(world.folder, 'aside'));
  await mkdir(join(names, file));
  const uploads = openUploads(join(world.folder, 'index'), 0);
  await assert.rejects(uploads.read(), { code: 'service-failed' });
  await assert.rejects(uploads.sweep(), { code: 'service-failed' });
  await rmdir(join(names, file));
  await rename(join(world.folder, 'aside'), join(names, file));
  assert.equal((await world.library.ingest({ inputs: [], signal: never })).documents.processed, 1);
});
