/** Each kind of damage is named with its mend, and a sound index is called sound. */
import assert from 'node:assert/strict';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fromHalf, toHalf } from '../../../src/store/write/half.ts';
import { indexFolder, openMain } from '../../../src/store/tables.ts';
import type { Verification } from '../../../src/store/look/verify.ts';
import { openForkedStore, scratchFolder, type ForkedStore } from '../forked-host.ts';
import { encoder, rowsOf, type SampleDocument } from '../samples.ts';

// LanceDB leaves folders where the temporary files go.
const temporary = await scratchFolder();
process.env['TMPDIR'] = temporary.path;
after(() => temporary[Symbol.asyncDispose]());

const document = (key: string): SampleDocument => ({ key, texts: [`one of ${key}`, 'two', 'three'] });
const problemsOf = ({ problems }: Verification): string => problems.map(({ problem }) => problem).join('\n');

async function openFilled(dir: string): Promise<ForkedStore> {
  const forked = await openForkedStore(dir);
  await forked.store.beginWriting(encoder, 'run');
  await forked.store.append(['a', 'b', 'c'].flatMap((key) => rowsOf(document(key))));
  return forked;
}

/** Changes main as no run of ours would. */
async function damageMain(
  forked: ForkedStore,
  dir: string,
  change: (main: NonNullable<Awaited<ReturnType<typeof openMain>>>) => Promise<unknown>,
): Promise<Verification> {
  await forked.kill();
  const main = await openMain(
    indexFolder(dir, () => undefined),
    'chunks',
  );
  await change(main ?? assert.fail());
  return forked.store.verify();
}

test('a sound index is sound in every state, and its numbers are those of inspect', async () => {
  await using folder = await scratchFolder();
  await using forked = await openFilled(folder.path);
  const { store } = forked;
  assert.deepEqual(await store.verify(), { documents: 3, chunks: 9, pending: 0, shards: 1, problems: [] });
  await store.consolidate();
  assert.deepEqual(await store.verify(), { documents: 3, chunks: 9, pending: 0, shards: 0, problems: [] });
  const rows = rowsOf({ ...document('b'), edition: 'b' });
  await store.append([...rowsOf({ ...document('a'), edition: 'b' }), ...rows.slice(0, 2)]);
  await store.append(rowsOf({ ...document('a'), edition: 'b' })); // as after a lost acknowledgement
  await store.remove(['c']);
  assert.deepEqual(await store.verify(), { documents: 2, chunks: 6, pending: 2, shards: 1, problems: [] });
  await store.consolidate();
  assert.deepEqual(await store.verify(), { documents: 2, chunks: 6, pending: 2, shards: 1, problems: [] });
});

test('where there is no index there is nothing wrong', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(path.join(folder.path, 'none'));
  const { documents, problems } = await forked.store.verify();
  assert.deepEqual([documents, problems], [0, []]);
});

test('chunks that are missing, headless or double are found, with the documents they belong to', async () => {
  await using folder = await scratchFolder();
  await using forked = await openFilled(folder.path);
  await forked.store.consolidate();
  const found = await damageMain(forked, folder.path, async (main) => {
    await main.add(await main.query().where("document = 'c' AND ordinal = 1").toArrow());
    await main.delete("(document = 'a' AND ordinal = 2) OR (document = 'b' AND ordinal = 0)");
  });
  assert.match(problemsOf(found), /1 documents have chunks in main and no first one: b/);
  assert.match(problemsOf(found), /1 documents have not all of their chunks: a/);
  assert.match(problemsOf(found), /1 documents have chunks twice in main: c/);
  assert.match(found.problems[0]?.mend ?? '', /index remove --yes 'b'/);
});

test('vectors that are not of length 1, or not numbers, are found', async () => {
  await using folder = await scratchFolder();
  await using forked = await openFilled(folder.path);
  await forked.store.consolidate();
  const found = await damageMain(forked, folder.path, (main) =>
    main.update({ where: "document = 'a'", values: { vector: Array.from({ length: 8 }, () => 2) } }),
  );
  assert.match(problemsOf(found), /3 vectors are not finite or not of length 1, the first of a/);
});

test('rows that the text index does not cover are found, and compact mends it', async () => {
  await using folder = await scratchFolder();
  await using forked = await openFilled(folder.path);
  await forked.store.consolidate();
  const found = await damageMain(forked, folder.path, (main) => main.dropIndex('words_idx'));
  assert.match(problemsOf(found), /the text index covers no row of main/);
  assert.match(found.problems[0]?.mend ?? '', /index compact/);
  await forked.store.consolidate();
  assert.deepEqual((await forked.store.verify()).problems, []);
});

test('a data file that is torn is named, and a manifest that was torn is mended', async () => {
  await using folder = await scratchFolder();
  await using forked = await openFilled(folder.path);
  const { store } = forked;
  await store.consolidate();
  await forked.kill();
  const versions = path.join(folder.path, 'main.lance', '_versions');
  const [head = assert.fail()] = (await readdir(versions))
    .filter((name) => name.endsWith('.manifest'))
    .sort();
  await writeFile(path.join(versions, head), '');
  const torn = await store.verify();
  assert.match(problemsOf(torn), /manifest\.torn was torn; the version before is in force/);
  assert.match(torn.problems.at(-1)?.mend ?? '', /^rm /);

  await forked.kill();
  const data = path.join(folder.path, 'main.lance', 'data');
  for (const name of await readdir(data)) await truncate(path.join(data, name), 100);
  await using looking = await openForkedStore(folder.path);
  assert.match(problemsOf(await looking.store.verify()), /main cannot be read: /);
});

test('half floats come back as the numbers that they stand for', () => {
  const numbers = Float32Array.of(0, 1, -1, 0.5, 65_504, 2 ** -14, 2 ** -24, -(2 ** -20), 0.333_251_953_125);
  assert.deepEqual(fromHalf(toHalf(numbers)), numbers);
  assert.deepEqual(fromHalf(Uint16Array.of(0x7c00, 0xfc00)), Float32Array.of(Infinity, -Infinity));
  assert.ok(Number.isNaN(fromHalf(Uint16Array.of(0x7e00))[0]));
});
