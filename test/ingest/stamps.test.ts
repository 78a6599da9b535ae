import assert from 'node:assert/strict';
import { appendFile, mkdtempDisposable, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileState } from '../../src/ingest/file-state.ts';
import { openStamps, type Stamps } from '../../src/ingest/stamps.ts';

const old: FileState = { size: 1, changedMs: 0, version: '1 0 0' };
const clock = (): number => 10_000;

interface Index extends AsyncDisposable {
  readonly path: string;
  readonly stamps: string;
  /** Notes these contents of a file `a`, as one run. */
  run(writer: string, ...contents: string[]): Promise<void>;
  /** Which of these contents the next run remembers. */
  remembered(...contents: string[]): Promise<string[]>;
}

async function openIndex(): Promise<Index> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'stamps-'));
  const open = (writer: string): Promise<Stamps> => openStamps(folder.path, writer, clock);
  return {
    path: folder.path,
    stamps: join(folder.path, 'stamps'),
    run: async (writer, ...contents) => {
      await using stamps = await open(writer);
      for (const content of contents) stamps.note('a', old, content);
    },
    remembered: async (...contents) => {
      await using stamps = await open('looks');
      return contents.filter((content) => stamps.has('a', old, content));
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

test('a stamp is remembered for its key, state and content, and for no other', async () => {
  await using index = await openIndex();
  await index.run('one', 'x');
  await using stamps = await openStamps(index.path, 'two', clock);
  assert.equal(stamps.has('a', old, 'x'), true);
  assert.equal(stamps.has('b', old, 'x'), false);
  assert.equal(stamps.has('a', { ...old, version: '1 0 1' }, 'x'), false);
  assert.equal(stamps.has('a', old, 'y'), false);
});

test('a file that changed less than three seconds ago gets no stamp', async () => {
  await using index = await openIndex();
  const stamps = await openStamps(index.path, 'one', clock);
  stamps.note('a', { ...old, changedMs: 7_001 }, 'young');
  stamps.note('a', { ...old, changedMs: 7_000 }, 'old');
  await stamps[Symbol.asyncDispose]();
  assert.deepEqual(await index.remembered('young', 'old'), ['old']);
});

test('without a clock given, a file that was written just now is young', async () => {
  await using index = await openIndex();
  const stamps = await openStamps(index.path, 'one');
  stamps.note('a', { ...old, changedMs: Date.now() }, 'young');
  stamps.note('a', { ...old, changedMs: Date.now() - 60_000 }, 'old');
  await stamps[Symbol.asyncDispose]();
  assert.deepEqual(await index.remembered('young', 'old'), ['old']);
});

test('what is torn, doubled or foreign costs its stamps and no others', async () => {
  await using index = await openIndex();
  await index.run('one', 'x', 'y');
  await index.run('two', 'y', 'z');
  await truncate(join(index.stamps, 'one'), 13);
  await writeFile(join(index.stamps, 'three'), 'not a stamp');
  assert.deepEqual(await index.remembered('x', 'y', 'z'), ['x', 'y', 'z']);
  await truncate(join(index.stamps, 'one'), 5);
  assert.deepEqual(await index.remembered('x', 'y', 'z'), ['y', 'z']);
});

test('many stamps are there before the run ends', async () => {
  await using index = await openIndex();
  const stamps = await openStamps(index.path, 'one', clock);
  for (let n = 0; n < 1100; n++) stamps.note('a', old, `${n}`);
  await stamps[Symbol.asyncDispose]();
  assert.equal((await readFile(join(index.stamps, 'one'))).length, 8 * 1100);
  assert.deepEqual(await index.remembered('0', '600', '1099'), ['0', '600', '1099']);
});

test('a merge leaves one file with every stamp once, and the file of a run that goes on', async () => {
  await using index = await openIndex();
  await index.run('one', 'x', 'y');
  await index.run('two', 'y', 'z');
  await index.run('goes-on', 'w');
  const stamps = await openStamps(index.path, 'three', clock);
  await appendFile(join(index.stamps, 'goes-on'), new BigUint64Array([7n]));
  stamps.note('a', old, 'new');
  await stamps.merge('all inputs');
  assert.deepEqual((await readdir(index.stamps)).sort(), ['goes-on', 'three']);
  assert.equal((await readFile(join(index.stamps, 'three'))).length, 8 * 5);
  assert.deepEqual(await index.remembered('w', 'x', 'y', 'z', 'new'), ['w', 'x', 'y', 'z', 'new']);
});

test('a run with nothing new leaves the one file as it is', async () => {
  await using index = await openIndex();
  await index.run('one', 'x');
  const stamps = await openStamps(index.path, 'two', clock);
  stamps.has('a', old, 'x');
  await stamps.merge('all inputs');
  assert.deepEqual(await readdir(index.stamps), ['one']);
});

test('where nothing can be written, nothing is remembered and nothing fails', async () => {
  await using index = await openIndex();
  await writeFile(index.stamps, 'a file stands in its place');
  const stamps = await openStamps(index.path, 'one', clock);
  stamps.note('a', old, 'x');
  assert.equal(stamps.has('a', old, 'x'), false);
  await stamps.merge('all inputs');
});
