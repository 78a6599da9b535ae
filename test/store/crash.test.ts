/** The host is killed, its disk is full, its files are torn: nothing acknowledged is lost, nothing is doubled. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../../src/store/types.ts';
import { onlyShard, openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, hashOf, rowsOf, vectorOf, type SampleDocument } from './samples.ts';

const documents = (from: number, to: number): SampleDocument[] =>
  Array.from({ length: to - from }, (_, at) => ({
    key: `d${String(from + at).padStart(4, '0')}`,
    texts: [`common first ${from + at}`, `common second ${from + at}`],
  }));

/** Every document once, whole, by each of the ways in. */
async function assertExactly(store: Store, expected: readonly SampleDocument[]): Promise<void> {
  const { documents, chunks } = await store.inspect();
  assert.deepEqual([documents.processed, chunks], [expected.length, 2 * expected.length]);
  const wanted = expected.flatMap((document) => rowsOf(document).map(({ chunk }) => chunk)).sort();
  for (const hits of [
    await store.searchText(['common'], 5_000),
    await store.searchDense([vectorOf('x')], 5_000),
  ]) {
    assert.deepEqual((hits[0] ?? []).map(({ chunk }) => chunk).sort(), wanted);
  }
}

test('kill -9 in mid-append: requests are sent again, all rows are there once', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const all: SampleDocument[] = [];
  for (let round = 0; round < 6; round++) {
    const appends = [0, 1, 2, 3].map((part) => {
      const from = 40 * round + 10 * part;
      const batch = documents(from, from + 10);
      all.push(...batch);
      return store.append(batch.flatMap((document) => rowsOf(document)));
    });
    // Each round at another point: before the first commit, between two, after them.
    await pause(round * 12);
    await forked.kill();
    await Promise.all(appends);
  }
  assert.ok(forked.starts() > 4, `${forked.starts()} hosts`);
  await assertExactly(store, all);
  await store.consolidate();
  await assertExactly(store, all);
});

test('kill -9 in mid-consolidation: it is done again, and nothing is lost or doubled', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const all: SampleDocument[] = [];
  for (let round = 0; round < 6; round++) {
    await store.beginWriting(encoder, `run-${round}`);
    const batch = documents(100 * round, 100 * round + 100);
    const changed = all
      .splice(0, 30)
      .map((document): SampleDocument => ({ ...document, edition: `r${round}` }));
    all.push(...batch, ...changed);
    await store.append([...batch, ...changed].flatMap((document) => rowsOf(document)));
    const consolidated = store.consolidate();
    consolidated.catch(() => undefined);
    await pause(15 + round * 25);
    await forked.kill();
    if (round % 2 === 0) await assertExactly(store, all);
    await consolidated;
    await assertExactly(store, all);
  }
  await store.consolidate();
  // A question that was indexing a shard when it was renamed leaves a folder of that name, of which nobody is the owner.
  const shards = path.join(folder.path, 'shards');
  const left = (await readdir(shards)).filter((name) => existsSync(path.join(shards, name, 'owner.json')));
  assert.deepEqual(left, []);
});

test('a request that kills every host is given up, others go on', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  forked.makeDeadly('append');
  const doomed = store.append(rowsOf(documents(0, 1)[0] ?? assert.fail()));
  await assert.rejects(doomed, { code: 'service-failed', message: /3 store hosts died/ });
  assert.equal(forked.starts(), 3);
  await assertExactly(store, []);
});

test('a host that is told to end answers what it was asked before', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const all = documents(0, 400);
  const appends = [0, 100, 200, 300].map((from) =>
    store.append(all.slice(from, from + 100).flatMap((each) => rowsOf(each))),
  );
  await appends[0];
  assert.deepEqual(await forked.terminate(), [0, null]);
  await Promise.all(appends);
  assert.equal(forked.starts(), 1);
  await assertExactly(store, all);
});

test('a host whose parent has gone ends at once', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  await forked.store.beginWriting(encoder, 'run');
  assert.deepEqual(await forked.disconnect(), [null, 'SIGKILL']);
});

test('an abort ends what is under way and what comes', async () => {
  await using folder = await scratchFolder();
  const aborting = new AbortController();
  await using forked = await openForkedStore(folder.path, { signal: aborting.signal });
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const append = store.append(documents(0, 500).flatMap((document) => rowsOf(document)));
  aborting.abort();
  await assert.rejects(append, { code: 'aborted' });
  await assert.rejects(store.inspect(), { code: 'aborted' });
});

test('a torn head manifest is moved aside, and the version before is there', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const [first, second] = [documents(0, 5), documents(5, 10)];
  await store.append(first.flatMap((document) => rowsOf(document)));
  await store.append(second.flatMap((document) => rowsOf(document)));
  await forked.kill();
  const shard = path.join(await onlyShard(folder.path), '_versions');
  const head = (await readdir(shard)).filter((name) => name.endsWith('.manifest')).sort()[0] ?? assert.fail();
  await truncate(path.join(shard, head), 0);
  await truncate(path.join(shard, 'latest_version_hint.json'), 0).catch(() => undefined);
  await assertExactly(store, first);
  assert.match(forked.stderr(), /manifest \d+\.manifest is torn/);
  await store.append(second.flatMap((document) => rowsOf(document)));
  await store.consolidate();
  await assertExactly(store, [...first, ...second]);

  const data = path.join(folder.path, 'main.lance', 'data');
  const main = path.join(folder.path, 'main.lance', '_versions');
  await forked.kill();
  for (const name of await readdir(data)) await rm(path.join(data, name));
  await assert.rejects(store.searchDense([vectorOf('x')], 5), {
    code: 'index-damaged',
    hint: /mv .*damaged/,
  });
  await forked.kill();
  for (const name of await readdir(main)) await writeFile(path.join(main, name), 'torn');
  // Twice: looking must not make a damaged table an empty one.
  for (const look of [1, 2])
    await assert.rejects(store.inspect(), { code: 'index-damaged', message: /main\.lance/ }, `look ${look}`);
});

test('a host with something to say goes on where the disk under its log is full', async () => {
  await using folder = await scratchFolder();
  await using full = await open('/dev/full', 'w');
  await using forked = await openForkedStore(folder.path, { log: full.fd });
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append(rowsOf(documents(0, 1)[0] ?? assert.fail()));
  await store.append(rowsOf(documents(1, 2)[0] ?? assert.fail()));
  await forked.kill();
  const versions = path.join(await onlyShard(folder.path), '_versions');
  const head = (await readdir(versions)).filter((name) => name.endsWith('.manifest')).sort()[0];
  await truncate(path.join(versions, head ?? assert.fail()), 0);
  await truncate(path.join(versions, 'latest_version_hint.json'), 0).catch(() => undefined);
  await assertExactly(store, documents(0, 1));
  await assertExactly(store, documents(0, 1));
  assert.equal(forked.starts(), 2, 'it was started once, killed by us, and started again');
});

/** 4 KiB that do not compress. */
const lengthen = (text: string): string => `${text} ${randomBytes(2_048).toString('hex')}`;

interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  grow(): void;
}

/** A commit of the test takes 112 KiB: beside the last that fits there is room for a text index of 30. */
async function mountDisk(folder: string): Promise<SmallDisk> {
  const disk = path.join(folder, 'disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1560k', 'tmpfs', disk]);
  return {
    path: disk,
    grow: () => void execFileSync('mount', ['-o', 'remount,size=64m', disk]),
    [Symbol.asyncDispose]: async () => void execFileSync('umount', ['-l', disk]),
  };
}

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

test(
  'a full disk is named; what was acknowledged stays, and it goes on when there is space',
  { skip: !canMount && 'needs root to mount a tmpfs' },
  async () => {
    await using folder = await scratchFolder();
    await using disk = await mountDisk(folder.path);
    await using forked = await openForkedStore(path.join(disk.path, 'index'));
    const { store } = forked;
    await store.beginWriting(encoder, 'run');
    const acknowledged: SampleDocument[] = [];
    const fill = async (): Promise<void> => {
      for (let at = 0; at < 1_000; at += 20) {
        const batch = documents(at, at + 20).map((each) => ({ ...each, texts: each.texts.map(lengthen) }));
        await store.append(batch.flatMap((document) => rowsOf(document)));
        acknowledged.push(...batch);
      }
    };
    await assert.rejects(fill(), { code: 'disk-full', message: new RegExp(disk.path), hint: /df -h/ });
    assert.ok(acknowledged.length > 0);
    const known = await store.known(acknowledged.map(({ key }) => key));
    for (const document of acknowledged) assert.equal(known.get(document.key)?.done, hashOf(document));
    assert.equal((await store.searchText(['common'], 5))[0]?.length, 5);
    disk.grow();
    const more = documents(2_000, 2_010);
    await store.append(more.flatMap((document) => rowsOf(document)));
    await store.consolidate();
    const after = await store.known([...acknowledged, ...more].map(({ key }) => key));
    assert.ok([...after.values()].every(({ done }) => done !== null));
  },
);
