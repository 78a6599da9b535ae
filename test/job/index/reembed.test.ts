import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import {
  assertUnchanged,
  copyTexts,
  finishSwap,
  putInPlace,
  reembedPlaces,
  type Places,
} from '../../../src/job/index/reembed.ts';
import { openForkedStore, scratchFolder } from '../../store/forked-host.ts';
import { encoder, rowsOf } from '../../store/samples.ts';

const now = new Date('2026-11-22T10:00:00.000Z');

/** An old index with a tag and stamps, and a new one. */
function layOut(index: string): void {
  for (const name of ['', '.reembed', '/stamps', '/tags/paper/main.lance', '/encoders/e5', '.reembed/texts'])
    mkdirSync(`${index}${name}`, { recursive: true });
  writeFileSync(`${index}/index.json`, 'old');
  writeFileSync(`${index}/stamps/one`, 'stamps');
  writeFileSync(`${index}/tags/paper/tag.json`, 'tag');
  writeFileSync(`${index}.reembed/index.json`, 'new');
  writeFileSync(`${index}.reembed/texts-of`, 'version');
}

async function inPlaces(use: (places: Places) => Promise<void>): Promise<void> {
  await using scratch = await scratchFolder();
  const index = join(scratch.path, 'index');
  layOut(index);
  await use(await reembedPlaces(index));
}

const unchanged = async (): Promise<void> => undefined;
const contentOf = (folder: string): string => readFileSync(join(folder, 'index.json'), 'utf8');

test('the new index takes the place of the old one, which is kept, and takes over what has to do with no encoder', () =>
  inPlaces(async (places) => {
    const before = await putInPlace(places, now, unchanged);
    assert.equal(before, `${places.index}.before-2026-11-22T100000`);
    assert.deepEqual([contentOf(places.index), contentOf(before)], ['new', 'old']);
    assert.deepEqual(readdirSync(places.index).sort(), ['encoders', 'index.json', 'stamps', 'tags']);
    assert.equal(readFileSync(join(places.index, 'tags/paper/tag.json'), 'utf8'), 'tag');
    assert.ok(!existsSync(places.fresh));
  }));

test('what was uploaded is in the new index as well, also what came while it was made', () =>
  inPlaces(async (places) => {
    const upload = (folder: string, name: string): void => {
      mkdirSync(join(folder, 'uploads/names'), { recursive: true });
      writeFileSync(join(folder, 'uploads/names', name), name);
    };
    upload(places.index, 'early');
    upload(places.fresh, 'removed-since-an-earlier-try');
    const before = await putInPlace(places, now, async () => upload(places.index, 'late'));
    for (const folder of [before, places.index])
      assert.deepEqual(readdirSync(join(folder, 'uploads/names')).sort(), ['early', 'late']);
  }));

test('who begins to write in the last moment is in the index that stays', () =>
  inPlaces(async (places) => {
    const late = async (): Promise<void> =>
      void mkdirSync(join(places.index, 'shards/run.lance'), { recursive: true });
    await assert.rejects(putInPlace(places, now, late), (error) => codeOf(error) === 'stopped');
    assert.deepEqual([contentOf(places.index), contentOf(places.fresh)], ['old', 'new']);
    assert.deepEqual(
      [existsSync(places.whole), existsSync(join(places.index, 'shards/run.lance'))],
      [false, true],
    );
  }));

test('who is killed between the two renamings is finished by the next one', () =>
  inPlaces(async (places) => {
    writeFileSync(places.whole, '{}');
    renameSync(places.index, `${places.index}.before`);
    await finishSwap(places);
    assert.deepEqual([contentOf(places.index), existsSync(places.fresh)], ['new', false]);
    assert.ok(!existsSync(join(places.index, 'reembedded.json')));
  }));

test('who is killed before the renamings leaves both where they are', () =>
  inPlaces(async (places) => {
    writeFileSync(places.whole, '{}');
    await finishSwap(places);
    assert.deepEqual([contentOf(places.index), contentOf(places.fresh)], ['old', 'new']);
  }));

test('a new index that is not whole is not put in place', () =>
  inPlaces(async (places) => {
    renameSync(places.index, `${places.index}.before`);
    await finishSwap(places);
    assert.ok(!existsSync(places.index));
  }));

test('of an index behind a link, the folder is replaced and not the link', async () => {
  await using scratch = await scratchFolder();
  const index = join(scratch.path, 'large/index');
  layOut(index);
  symlinkSync(index, join(scratch.path, 'link'));
  const places = await reembedPlaces(join(scratch.path, 'link'));
  await putInPlace(places, now, unchanged);
  assert.equal(contentOf(join(scratch.path, 'link')), 'new');
});

test('texts are copied once, not while another run writes, and an index that has changed since is not replaced', async () => {
  await using scratch = await scratchFolder();
  const { signal } = new AbortController();
  const index = join(scratch.path, 'index');
  const places = await reembedPlaces(index);
  await using host = await openForkedStore(index);
  const { store } = host;
  await assert.rejects(copyTexts(store, places, signal), (error) => codeOf(error) === 'no-input');
  await store.beginWriting(encoder, 'one');
  await store.append(rowsOf({ key: 'a', texts: ['alpha', 'beta'] }));
  const version = await copyTexts(store, places, signal);
  const passages = join(places.texts, 'passages.jsonl');
  assert.equal(readFileSync(passages, 'utf8').trimEnd().split('\n').length, 2);
  writeFileSync(passages, 'not written again');
  assert.equal(await copyTexts(store, places, signal), version);
  assert.equal(readFileSync(passages, 'utf8'), 'not written again');
  await assertUnchanged(store, version);

  await using other = await openForkedStore(index);
  await other.store.beginWriting(encoder, 'two');
  await other.store.append(rowsOf({ key: 'b', texts: ['gamma'] }));
  const stopped = (error: unknown): boolean => codeOf(error) === 'stopped';
  await assert.rejects(copyTexts(store, places, signal), stopped);
  await assert.rejects(assertUnchanged(store, version), stopped);
  await other.store.consolidate();
  await store.consolidate(); // forgets the view: five seconds would do it too
  await assert.rejects(assertUnchanged(store, version), stopped);
  await copyTexts(store, places, signal);
  assert.equal(readFileSync(passages, 'utf8').trimEnd().split('\n').length, 3);
});
