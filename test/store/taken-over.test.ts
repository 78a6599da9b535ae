/** A run finishes what another has begun: the rows of one document then lie in the shards of both. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, test } from 'node:test';
import { claimRecord } from '../../src/store/record.ts';
import { consolidate } from '../../src/store/consolidate.ts';
import { known } from '../../src/store/known.ts';
import type { PackedRows } from '../../src/store/protocol.ts';
import { indexFolder, openMain, shardNames, type IndexFolder } from '../../src/store/tables.ts';
import type { ChunkRow } from '../../src/store/types.ts';
import { verify } from '../../src/store/verify.ts';
import { readView } from '../../src/store/view.ts';
import { makeWriter, type Writer } from '../../src/store/writer.ts';
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
  const { committed } =
    (await known(await readView(folder), ['report'], undefined, second.saw)).get('report') ?? assert.fail();
  assert.equal(committed.length, 2, 'what the other has committed is not embedded again');
  await second.append(packed(rows.filter(({ chunk }) => !committed.includes(chunk))));
  await second.release();
  await consolidate(folder, encoder);
  return runs;
}

const soundOf = async (folder: IndexFolder): Promise<object> => {
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
