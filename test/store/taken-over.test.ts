/** A run finishes what another has begun: the rows of one document then lie in the shards of both. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import process from 'node:process';
import { after, test } from 'node:test';
import { claimRecord } from '../../src/store/write/record.ts';
import { consolidate } from '../../src/store/consolidate/consolidate.ts';
import { known } from '../../src/store/write/known.ts';
import type { PackedRows } from '../../src/store/wire/protocol.ts';
import { dropReplaced } from '../../src/store/consolidate/removals.ts';
import {
  indexFolder,
  openMain,
  openShard,
  shardNames,
  tablePath,
  type IndexFolder,
} from '../../src/store/tables.ts';
import type { ChunkRow } from '../../src/store/types.ts';
import { verify, type Verification } from '../../src/store/look/verify.ts';
import { readView } from '../../src/store/view.ts';
import { makeWriter, type Writer } from '../../src/store/write/writer.ts';
import { scratchFolder } from './forked-host.ts';
import { encoder, rowsOf } from './samples.ts';

// LanceDB leaves folders where the temporary files go.
const temporary = await scratchFolder();
process.env['TMPDIR'] = temporary.path;
after(() => temporary[Symbol.asyncDispose]());

function packed(rows: readonly ChunkRow[]): PackedRows {
  const size = encoder.dimensions;
  const vectors = new Float32Array(rows.length * size);
  rows.forEach(({ vector }, at) => vectors.set(vector, at * size));
  return { rows: rows.map(({ vector: _vector, ...row }) => row), vectors };
}

/** The first chunk comes last. */
const rows = rowsOf({ key: 'report', texts: ['one', 'two', 'three', 'four'] });

/** Two runs, each of which takes the other for one that lives. */
function twoRuns(root: string): { first: [IndexFolder, Writer]; second: [IndexFolder, Writer] } {
  const [mine, theirs] = [indexFolder(root, () => undefined), indexFolder(root, () => undefined)];
  return {
    first: [mine, makeWriter(mine, encoder, 'first', 0)],
    second: [theirs, makeWriter(theirs, encoder, 'second', 0)],
  };
}

/** The first one is suspended in the middle of the report, the second one finishes it and ends. */
async function takenOver(root: string): Promise<ReturnType<typeof twoRuns>> {
  await claimRecord(root, encoder);
  const runs = twoRuns(root);
  const [, first] = runs.first;
  const [folder, second] = runs.second;
  await first.append(packed(rows.slice(0, 2)));
  await second.append(await restOf(folder, second));
  await second.release();
  await consolidate(folder, encoder);
  return runs;
}

/** What a run is told, and then what it still has to write. */
async function restOf(folder: IndexFolder, writer: Writer): Promise<PackedRows> {
  const found = await known(await readView(folder), ['report'], writer.own()?.name, writer.saw);
  const { committed } = found.get('report') ?? assert.fail();
  assert.equal(committed.length, 2, 'what the other has committed is not embedded again');
  return packed(rows.filter(({ chunk }) => !committed.includes(chunk)));
}

const soundOf = async (
  folder: IndexFolder,
): Promise<Pick<Verification, 'documents' | 'chunks' | 'problems'>> => {
  const { documents, chunks, problems } = await verify(folder);
  return { documents, chunks, problems };
};

test('a document that two runs have written is whole in main, while one of them lives', async () => {
  await using scratch = await scratchFolder();
  const { second } = await takenOver(scratch.path);
  assert.deepEqual(await soundOf(second[0]), { documents: 1, chunks: 4, problems: [] });
  assert.equal(await (await openMain(second[0], 'chunks'))?.countRows(), 4);
});

test('the rows of a run that was overtaken go when it has ended, and nobody carries them on', async () => {
  await using scratch = await scratchFolder();
  const { first, second } = await takenOver(scratch.path);
  await first[1].release();
  await consolidate(second[0], encoder);
  assert.deepEqual(await shardNames(second[0], 'chunks'), []);
  assert.deepEqual(await soundOf(second[0]), { documents: 1, chunks: 4, problems: [] });
});

test('a run that was overtaken and goes on finishes it once more, and the index has it once', async () => {
  await using scratch = await scratchFolder();
  const { first } = await takenOver(scratch.path);
  const [folder, writer] = first;
  await writer.append(packed(rows.slice(2)));
  await writer.release();
  await consolidate(folder, encoder);
  assert.deepEqual(await soundOf(folder), { documents: 1, chunks: 4, problems: [] });
});

test('who finishes what another has begun has all of it in a shard of his own', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const { first, second } = twoRuns(scratch.path);
  await first[1].append(packed(rows.slice(0, 2)));
  await second[1].append(await restOf(...second));
  const begun = first[1].own()?.name ?? assert.fail();
  await rm(tablePath(first[0].shards, begun), { recursive: true });
  assert.deepEqual(await soundOf(second[0]), { documents: 1, chunks: 4, problems: [] });
});

test('chunks of a document whose first one only a run that lives has wait for it', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const { first, second } = twoRuns(scratch.path);
  await first[1].append(packed(rows));
  await second[1].append(packed(rows.slice(0, 1)));
  await second[1].release();
  await consolidate(second[0], encoder);
  assert.equal((await (await openMain(second[0], 'chunks'))?.countRows()) ?? 0, 0);
  await first[1].release();
  await consolidate(second[0], encoder);
  assert.deepEqual(await soundOf(second[0]), { documents: 1, chunks: 4, problems: [] });
  assert.deepEqual(await shardNames(second[0], 'chunks'), []);
});

const other = rowsOf({ key: 'report', edition: 'b', texts: ['five', 'six'] });
for (const [what, change, left] of [
  [
    'removed',
    (writer: Writer) => writer.remove(['report'], Date.now()),
    { documents: 0, chunks: 0, problems: [] },
  ],
  ['replaced', (writer: Writer) => writer.append(packed(other)), { documents: 1, chunks: 2, problems: [] }],
] as const)
  test(`a document that was ${what} while a run was finishing what another had begun is not shown short`, async () => {
    await using scratch = await scratchFolder();
    await claimRecord(scratch.path, encoder);
    const { first, second } = twoRuns(scratch.path);
    await first[1].append(packed(rows.slice(0, 2)));
    await first[1].release();
    const rest = await restOf(...second);
    const third = makeWriter(first[0], encoder, 'third', 0);
    await change(third);
    await third.release();
    await consolidate(first[0], encoder);
    assert.deepEqual(await second[1].append(rest), [], 'it is told that it is not complete');
    assert.deepEqual(await soundOf(second[0]), left);
  });

test('what a run writes is newer than what it was told, though its clock is behind', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const [ahead, behind] = [
    indexFolder(scratch.path, () => undefined),
    indexFolder(scratch.path, () => undefined),
  ];
  const inAnHour = Date.now() + 3_600_000;
  const [one, two] = [makeWriter(ahead, encoder, 'one', inAnHour), makeWriter(behind, encoder, 'two', 0)];
  await one.append(packed(rows));
  await known(await readView(behind), ['report'], undefined, two.saw);
  await two.append(packed(other));
  assert.deepEqual(await soundOf(behind), { documents: 1, chunks: 2, problems: [] });
});

test('what is complete after a removal is shown, though the clock of its run is behind', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const [, one] = twoRuns(scratch.path).first;
  const [folder, two] = twoRuns(scratch.path).second;
  await one.remove(['report'], Date.now() + 3_600_000);
  // Else it would come to light when the removal has been carried out and is forgotten.
  assert.equal((await two.append(packed(rows))).length, 1);
  assert.deepEqual(await soundOf(folder), { documents: 1, chunks: 4, problems: [] });
});

test('a removal that is forgotten while a shard is made keeps nobody from writing', async (t) => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const [folder, one] = twoRuns(scratch.path).first;
  const [, two] = twoRuns(scratch.path).second;
  await one.remove(['another'], 0);
  const [name = assert.fail()] = await shardNames(folder, 'removals');
  const table = (await openShard(folder, name)) ?? assert.fail();
  const gone = t.mock.method(Object.getPrototypeOf(table) as typeof table, 'query', () => {
    gone.mock.restore();
    throw new Error('lance error: Not found: it went to the trash');
  });
  assert.equal((await two.append(packed(rows))).length, 1);
  assert.equal(gone.mock.callCount(), 1);
});

test('who has slept through what others did to a document keeps what is newer, and nothing beside it', async () => {
  await using scratch = await scratchFolder();
  await claimRecord(scratch.path, encoder);
  const [folder, writer] = twoRuns(scratch.path).first;
  await writer.append(packed(rows));
  const slept = await readView(folder);
  writer.leaveShards();
  await consolidate(folder, encoder);
  const main = (await openMain(folder, 'chunks')) ?? assert.fail();
  const old = await main.query().toArrow();
  await writer.append(packed(other));
  writer.leaveShards();
  await consolidate(folder, encoder);
  await main.checkoutLatest();
  await main.add(old); // what he had read when he fell asleep
  await dropReplaced(main, slept.ledger);
  assert.deepEqual(
    await soundOf(folder).then(({ problems }) => problems.filter((p) => !/index/.test(p.problem))),
    [],
  );
  assert.deepEqual(
    (await main.query().select(['hash']).toArray()).map((row) => String(row.hash)),
    other.map(({ hash }) => hash),
  );
});
