import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeOf, RagError } from '../../src/errors.ts';
import { makeRowWriter, type RowWriter } from '../../src/ingest/writer.ts';
import type { ChunkRow, FailureRow, Version } from '../../src/store/types.ts';

/** The rows of a document of so many chunks. */
const rowsOf = (document: string, count: number): ChunkRow[] =>
  Array.from({ length: count }, (_, ordinal) => ({
    chunk: `${document} ${ordinal}`,
    document,
    id: document,
    title: document,
    file: document,
    hash: 'h',
    ordinal,
    of: count,
    page: null,
    pageEnd: null,
    start: 0,
    end: 4,
    headings: [],
    text: 'text',
    words: 'text',
    length: 1,
    language: '',
    labels: [],
    vector: new Float32Array([1, 0]),
  }));

const failureOf = (document: string): FailureRow => ({
  document,
  hash: 'h',
  file: document,
  state: 'failed',
  reason: 'empty',
});

/** A writer over a store in memory, with its own clock. */
function open(recordFailures?: () => Promise<void>, unfinished: readonly Version[] = []) {
  const commits: string[] = [];
  const outcomes: string[] = [];
  const clock = { ms: 0 };
  const store = {
    append: async (rows: readonly ChunkRow[]) => {
      commits.push(rows.map(({ chunk }) => chunk).join());
      return unfinished;
    },
    recordFailures: async (rows: readonly FailureRow[]) => {
      commits.push(rows.map(({ document }) => `${document} failed`).join());
      await recordFailures?.();
    },
  };
  return {
    writer: makeRowWriter(
      store,
      {
        committed: (some) => outcomes.push(...some.map(({ document }) => `${document} committed`)),
        lost: ({ document }) => outcomes.push(`${document} lost`),
      },
      () => clock.ms,
    ),
    commits,
    outcomes,
    clock,
  };
}

async function write(writer: RowWriter, rows: readonly ChunkRow[]): Promise<void> {
  writer.expect(rows);
  for (const row of rows) await writer.add(row);
}

test('failures go with the next commit of rows, and a flush commits what is left', async () => {
  const { writer, commits, clock } = open();
  await writer.setAside(failureOf('a'));
  await writer.setAside(failureOf('b'));
  assert.deepEqual(commits, []);
  clock.ms = 5000;
  await write(writer, rowsOf('c', 1));
  await writer.setAside(failureOf('d'));
  await writer.flush();
  assert.deepEqual(commits, ['c 0', 'a failed,b failed', 'd failed']);
});

test('failures alone are committed after five seconds, and after a thousand of them', async () => {
  const { writer, commits, clock } = open();
  await writer.setAside(failureOf('a'));
  clock.ms = 5000;
  await writer.setAside(failureOf('b'));
  for (let n = 0; n < 1000; n++) await writer.setAside(failureOf(`${n}`));
  assert.equal(commits[0], 'a failed,b failed');
  await writer.flush();
  assert.equal(commits.length, 2);
});

test('a document that is dropped is dropped once, and its first chunk is never committed', async () => {
  const { writer, commits } = open();
  const rows = rowsOf('a', 3);
  const [first, second, third] = rows;
  assert.ok(first && second && third);
  writer.expect(rows);
  await writer.add(second);
  assert.equal(writer.drop(third), true);
  assert.equal(writer.drop(third), false);
  await writer.add(first);
  await writer.flush();
  assert.deepEqual(commits, []);
});

test('a commit that fails is told by the next flush, and nothing is committed after it', async () => {
  const full = new RagError('disk-full', 'Cannot write: the disk is full');
  const { writer, commits, clock } = open(() => Promise.reject(full));
  clock.ms = 5000;
  await writer.setAside(failureOf('a'));
  await write(writer, rowsOf('b', 1));
  await assert.rejects(writer.flush(), (error) => codeOf(error) === 'disk-full');
  await assert.rejects(writer.flush(), (error) => codeOf(error) === 'disk-full');
  assert.deepEqual(commits, ['a failed']);
});

test('a document of which another run took chunks away is a failure, and no other of its commit is', async () => {
  const { writer, commits, outcomes } = open(undefined, [{ document: 'a', hash: 'h' }]);
  for (const document of ['a', 'b']) await write(writer, rowsOf(document, 1));
  await writer.flush();
  assert.deepEqual(commits, ['a 0,b 0', 'a failed']);
  assert.deepEqual(outcomes, ['b committed', 'a lost']);
});
