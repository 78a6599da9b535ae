/** Uploads on their way into the index and out of it, in a real store, with an ingest that can be held up. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OrderState } from '../../../src/library.ts';
import { until } from '../../until.ts';
import { open, serving, untilDone } from './library-world.ts';

test('an upload is pending, then processed, and found under its name; a page may end anywhere', async () => {
  await using world = await open();
  await world.run();
  await world.send('notes/harbour.md', '# Harbour\n\nThe harbour was closed.\n');
  await world.send('rows.jsonl', '{"id":"7","contents":"Row\\nabout glaciers"}\n');
  await world.send('scan.pdf', '%PDF-1.4 broken');
  assert.deepEqual(await world.list(), [
    'paper.md processed 1',
    'uploads//notes/harbour.md pending 0',
    'uploads//rows.jsonl pending 0',
    'uploads//scan.pdf pending 0',
  ]);
  await serving(world, () => untilDone(world));
  const expected = [
    'paper.md processed 1',
    'uploads//notes/harbour.md processed 1',
    'uploads//rows.jsonl processed 0',
    'uploads//rows.jsonl#7 processed 1',
    'uploads//scan.pdf failed 0',
  ];
  for (const limit of [1, 2, 100]) assert.deepEqual(await world.list(limit), expected);
  const [failed] = (await world.library.documents({ limit: 5, state: 'failed' })).documents;
  assert.equal(failed?.id, 'uploads//scan.pdf');
  assert.notEqual(failed?.reason, null);
  assert.deepEqual((await world.library.documents({ limit: 5, state: 'pending' })).documents, []);
  const harbour = await world.library.document('uploads//notes/harbour.md');
  assert.deepEqual([harbour?.title, harbour?.names], ['Harbour', ['notes/harbour.md']]);
  assert.equal((await world.library.document('uploads//rows.jsonl'))?.rows, 1);
  assert.equal(await world.library.document('uploads//never'), undefined);
});

test('what was acknowledged and not ingested is a part of the next run, whatever that is given', async () => {
  await using world = await open();
  await world.send('a.md', 'Only acknowledged.\n');
  await using next = await open(world.folder);
  const { documents } = await next.run();
  assert.equal(documents.processed, 2);
  assert.deepEqual(await next.list(), ['paper.md processed 1', 'uploads//a.md processed 1']);
  assert.equal(next.library.waiting(), 0);
  assert.equal((await next.run()).documents.unchanged, 2);
});

test('the later of two uploads of one name takes the place of the earlier, also as a second name of what is there', async () => {
  await using world = await open();
  await serving(world, async () => {
    await world.send('a.md', 'first edition\n');
    await world.send('b.md', 'another text\n');
    await untilDone(world);
    await world.send('a.md', 'second edition, longer\n');
    await untilDone(world);
    assert.deepEqual(await world.list(), ['uploads//a.md processed 1', 'uploads//b.md processed 1']);
    await world.send('b.md', 'second edition, longer\n');
    assert.deepEqual(await world.list(), ['uploads//a.md processed 1']);
    assert.deepEqual((await world.library.document('uploads//a.md'))?.names, ['a.md', 'b.md']);
  });
});

test('what is removed while it is being ingested does not come back', async () => {
  await using world = await open();
  const held = world.hold();
  await serving(world, async () => {
    await world.send('a.md', 'a text that is being embedded\n');
    await until(() => held.waiting() > 0, 'the text at the embedder');
    assert.deepEqual(await world.list(), ['uploads//a.md processing 0']);
    assert.deepEqual(await world.library.remove({ ids: ['uploads//a.md'] }), ['uploads//a.md']);
    held.release();
    await untilDone(world);
    await world.run();
  });
  assert.deepEqual(await world.list(), ['paper.md processed 1']);
});

test('names and patterns are removed as `index remove` does it, an id that looks like a pattern is none', async () => {
  await using world = await open();
  for (const name of ['*.md', 'a.md', 'b.txt', 'rows.jsonl'])
    await world.send(
      name,
      name === 'rows.jsonl' ? '{"id":"1","contents":"T\\nrow"}\n' : `the text of ${name}\n`,
    );
  await world.run();
  assert.deepEqual(await world.library.remove({ ids: ['uploads//*.md'] }), ['uploads//*.md']);
  assert.deepEqual(await world.library.remove({ names: ['uploads//*.txt'], dryRun: true }), [
    'uploads//b.txt',
  ]);
  assert.deepEqual(
    await world.library.remove({ names: ['uploads//rows.jsonl', `file:${join(world.folder, 'papers')}`] }),
    ['paper.md', 'uploads//rows.jsonl', 'uploads//rows.jsonl#1'],
  );
  assert.deepEqual(await world.list(), ['uploads//a.md processed 1', 'uploads//b.txt processed 1']);
  assert.deepEqual(await world.library.remove({ ids: ['uploads//never'] }), []);
});

test('an order is done once however often it is placed, exactly its files are counted, and it may be cancelled', async () => {
  await using world = await open();
  const held = world.hold();
  await serving(world, async () => {
    await world.send('other.md', 'of somebody else\n');
    await until(() => held.waiting() > 0, 'the other one at the embedder');
    const files = [
      { name: 'a.md', ...(await world.keep('first\n')) },
      { name: 'b.md', ...(await world.keep('second\n')) },
    ];
    const [order, same] = await Promise.all([
      world.orders.place({ id: 'order-17', files }),
      world.orders.place({ id: 'order-17', files }),
    ]);
    assert.equal(order, same);
    assert.equal(world.orders.find('order-17'), order);
    assert.deepEqual(order.current(), { state: 'waiting' });
    held.release();
    await until(() => order.current().state === 'done', 'the end of the order');
    const { report } = order.current() as Extract<OrderState, { state: 'done' }>;
    assert.deepEqual(report.documents, { processed: 2, unchanged: 0, failed: 0, needs_ocr: 0 });

    const again = world.hold();
    const paths = { inputs: ['papers'], from: world.folder };
    const cut = await world.orders.place({ id: 'order-18', paths });
    await until(() => again.waiting() > 0, 'the paper at the embedder');
    const next = await world.orders.place({ id: 'order-19', paths });
    next.cancel();
    await until(() => next.current().state === 'done', 'the end of the one that waited');
    cut.cancel();
    await until(() => cut.current().state === 'done', 'the end of the cancelled one');
    for (const each of [cut, next])
      assert.equal((each.current() as Extract<OrderState, { state: 'done' }>).report.complete, false);
    again.release();
  });
  await assert.rejects(
    world.orders.place({ id: 'order-20', files: [{ name: 'c', hash: '0'.repeat(64), bytes: 1 }] }),
    {
      code: 'no-input',
    },
  );
  assert.equal(world.orders.find('order-20'), undefined);
  await world.orders.end();
});
