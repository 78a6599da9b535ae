/** Which view a question is answered from, while others are read, fail or are forgotten. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Table } from '@lancedb/lancedb';
import { indexFolder } from '../../src/store/tables.ts';
import { keepView, type OwnShard } from '../../src/store/view.ts';
import { scratchFolder } from './forked-host.ts';

const broken: OwnShard = {
  name: 'run',
  table: { query: () => assert.fail('it cannot be read') } as unknown as Table,
};

async function makeShard(root: string): Promise<void> {
  await mkdir(path.join(root, 'shards/run.lance'), { recursive: true });
  await writeFile(path.join(root, 'shards/run.lance/owner.json'), '{}');
}

test('a view that cannot be read is dropped, not the newer one in its place', async () => {
  await using folder = await scratchFolder();
  await makeShard(folder.path);
  const writing: { own: OwnShard | undefined } = { own: broken };
  const current = keepView(
    indexFolder(folder.path, () => undefined),
    () => writing.own,
  );
  const old = current.read();
  current.forget();
  writing.own = undefined;
  const newer = current.read();
  await assert.rejects(old, /cannot be read/);
  assert.equal(await current.read(), await newer);
});

test('rows that are committed are acknowledged although the view of them cannot be read', async () => {
  await using folder = await scratchFolder();
  await makeShard(folder.path);
  const current = keepView(
    indexFolder(folder.path, () => undefined),
    () => broken,
  );
  const read = assert.rejects(current.read());
  await current.note([]);
  await read;
});
