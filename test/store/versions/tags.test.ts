import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import { pinnedFolder, tagFolder } from '../../../src/store/versions/tagged.ts';
import type { ForkedStore } from '../forked-host.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

const documents = Array.from({ length: 40 }, (_, n) => ({
  key: `doc-${n}`,
  texts: [`first part of ${n}`, `second part about topic ${n % 7}`],
}));

async function openFilled(dir: string): Promise<ForkedStore> {
  const host = await openForkedStore(dir);
  await host.store.beginWriting(encoder, 'filler');
  await host.store.append(documents.flatMap(rowsOf));
  await host.store.consolidate();
  return host;
}

const queries = ['topic 3', 'first part', 'second'];
const answers = async (dir: string): Promise<unknown> => {
  await using pinned = await openForkedStore(await pinnedFolder(dir, 'paper'));
  const { store } = pinned;
  const found = [
    ...(await store.searchText(queries, 10)),
    ...(await store.searchDense(
      queries.map((query) => vectorOf(query)),
      10,
    )),
  ];
  return found.map((hits) => hits.map(({ chunk, score }) => [chunk, score]));
};

test('a tagged version answers with the same ids and scores while documents come, go and are merged and cleaned up', async () => {
  await using scratch = await scratchFolder();
  await using host = await openFilled(scratch.path);
  const { store } = host;
  const tag = await store.tag('paper');
  assert.deepEqual([tag.documents, tag.chunks, tag.left_out], [40, 80, { documents: 0, shards: 0 }]);
  const before = await answers(scratch.path);
  await store.beginWriting(encoder, 'later');
  await store.append(
    documents.flatMap(({ key }) => rowsOf({ key, edition: 'b', texts: [`topic 3 anew in ${key}`] })),
  );
  await store.remove(['doc-1', 'doc-2']);
  await store.consolidate();
  await store.consolidate();
  assert.deepEqual(await answers(scratch.path), before);
  assert.equal((await store.inspect()).documents.processed, 38);
});

test('a tag survives the loss of main, because its files are its own', async () => {
  await using scratch = await scratchFolder();
  await using host = await openFilled(scratch.path);
  await host.store.tag('paper');
  const before = await answers(scratch.path);
  await host.kill();
  rmSync(path.join(scratch.path, 'main.lance'), { recursive: true });
  assert.deepEqual(await answers(scratch.path), before);
});

test('a tag takes no space of its own, and is listed, refused twice and deleted', async () => {
  await using scratch = await scratchFolder();
  await using host = await openFilled(scratch.path);
  const { store } = host;
  await store.tag('paper');
  const data = path.join(tagFolder(scratch.path, 'paper'), 'main.lance/data');
  for (const name of readdirSync(data)) assert.ok(statSync(path.join(data, name)).nlink > 1, name);
  assert.deepEqual(
    (await store.tags()).map(({ name }) => name),
    ['paper'],
  );
  await assert.rejects(store.tag('paper'), (error) => codeOf(error) === 'usage');
  await assert.rejects(store.tag('../paper'), (error) => codeOf(error) === 'usage');
  await store.untag('paper');
  assert.deepEqual(await store.tags(), []);
  await assert.rejects(pinnedFolder(scratch.path, 'paper'), (error) => codeOf(error) === 'preflight');
  await assert.rejects(store.untag('paper'), (error) => codeOf(error) === 'preflight');
});

test('what another run is still writing is left out of a tag, and said', async () => {
  await using scratch = await scratchFolder();
  await using host = await openFilled(scratch.path);
  await using other = await openForkedStore(scratch.path);
  await other.store.beginWriting(encoder, 'other');
  await other.store.append(rowsOf({ key: 'late', texts: ['late'] }));
  assert.equal(await host.store.writers(), 1);
  const tag = await host.store.tag('paper');
  assert.deepEqual([tag.documents, tag.left_out], [40, { documents: 1, shards: 1 }]);
});

test('an empty index cannot be tagged', async () => {
  await using scratch = await scratchFolder();
  await using host = await openForkedStore(scratch.path);
  await assert.rejects(host.store.tag('paper'), (error) => codeOf(error) === 'no-input');
});
