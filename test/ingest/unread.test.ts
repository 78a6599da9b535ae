/** A corpus that has not changed is not read again, and whatever has changed is. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import type { ParserPool } from '../../src/documents/types.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { openStamps } from '../../src/ingest/stamps.ts';
import type { IngestReport } from '../../src/work.ts';
import { openCountingEmbed, openLedgerStore, type LedgerStore } from './ledger-store.ts';

const chunker = { targetTokens: 64, overlapTokens: 0 };
const signal = new AbortController().signal;
/** Every file of the tests is old by it. */
const later = (): number => Date.now() + 60_000;

let parser: ParserPool;
before(() => {
  parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e9, timeoutMsPerFile: 30_000 });
});
after(() => parser[Symbol.asyncDispose]());

interface World extends AsyncDisposable, LedgerStore {
  readonly corpus: string;
  readonly index: string;
  at(name: string): string;
  run(options?: { rehash?: boolean; clock?: () => number }): Promise<Run>;
}

interface Run {
  readonly report: IngestReport;
  /** Paths that a thread was told to read. */
  readonly read: string[];
  readonly sent: string[];
}

async function openWorld(files: Readonly<Record<string, string>>): Promise<World> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'unread-'));
  const corpus = join(folder.path, 'corpus');
  const index = join(folder.path, 'index');
  await mkdir(corpus);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(corpus, name), text);
  const ledger = openLedgerStore();
  let runs = 0;
  return {
    ...ledger,
    corpus,
    index,
    at: (name) => join(corpus, name),
    run: async ({ rehash = false, clock = later } = {}) => {
      const { embed, sent } = openCountingEmbed();
      const read: string[] = [];
      const watched: ParserPool = {
        threads: parser.threads,
        parse: (task, stop) => {
          read.push(task.path);
          return parser.parse(task, stop);
        },
        hashes: (paths, maxFileBytes, stop) => {
          read.push(...paths);
          return parser.hashes(paths, maxFileBytes, stop);
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
      await using stamps = await openStamps(index, `run-${++runs}`, clock);
      const parts = { store: ledger.store, parser: watched, embed, chunker, stamps };
      const report = await ingest({ inputs: [corpus], signal, rehash }, parts);
      if (report.complete) await stamps.merge('all inputs');
      return { report, read, sent };
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

const counts = ({ report: { documents } }: Run): number[] => [
  documents.processed,
  documents.unchanged,
  documents.failed,
];
const rows = (from: number, to: number, word = 'row'): string =>
  Array.from(
    { length: to - from },
    (_, at) => `${JSON.stringify({ id: `${from + at}`, text: `${word} ${from + at} `.repeat(20) })}\n`,
  ).join('');
/** Bytes that all threads of this process have read so far. */
const bytesRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

test('nothing of an unchanged corpus is read again, neither files nor rows', async () => {
  await using world = await openWorld({
    'a.txt': 'Alpha.',
    'b.md': `# B\n\n${'Beta. '.repeat(200_000)}`,
    'rows.jsonl': rows(0, 5000),
    'small.json': rows(0, 3),
  });
  const first = await world.run();
  assert.deepEqual(counts(first), [5005, 0, 0]);
  const before = bytesRead();
  const second = await world.run();
  const read = bytesRead() - before;
  assert.deepEqual(counts(second), [0, 5005, 0]);
  assert.deepEqual(second.read, []);
  assert.ok(read < 100_000, `${read} bytes of 2.4 million were read`);
});

test('with rehash every file is read, and nothing embedded', async () => {
  await using world = await openWorld({ 'a.txt': 'Alpha.', 'rows.jsonl': rows(0, 10) });
  await world.run();
  const again = await world.run({ rehash: true });
  assert.deepEqual(counts(again), [0, 11, 0]);
  assert.equal(again.read.length, 2);
  assert.deepEqual(again.sent, []);
});

test('a file is read again when its size, its times or its place have changed, and only embedded when its bytes have', async () => {
  await using world = await openWorld({
    'a.txt': 'Alpha.',
    'b.txt': 'Beta.',
    'c.txt': 'Gamma.',
    'd.txt': 'Delta.',
  });
  await world.run();
  writeFileSync(world.at('a.txt'), 'Alphb.');
  utimesSync(world.at('b.txt'), 1, 1);
  // Other bytes of the same size, with the time of the old ones.
  writeFileSync(world.at('x'), 'Gammb.');
  utimesSync(world.at('x'), 1, 1);
  renameSync(world.at('x'), world.at('c.txt'));
  const second = await world.run();
  assert.deepEqual(
    [...new Set(second.read)].sort(),
    ['a.txt', 'b.txt', 'c.txt'].map((name) => world.at(name)),
  );
  assert.deepEqual(second.sent.sort(), ['Alphb.', 'Gammb.']);
  assert.deepEqual((await world.run()).read, []);
});

test('a corpus with a new row is read, and only that row is embedded', async () => {
  await using world = await openWorld({ 'rows.jsonl': rows(0, 5) });
  await world.run();
  appendFileSync(world.at('rows.jsonl'), rows(5, 6));
  const second = await world.run();
  assert.deepEqual(counts(second), [1, 5, 0]);
  assert.equal(second.sent.length, 1);
  assert.deepEqual((await world.run()).read, []);
});

test('a stamp says nothing about the index: what the ledger does not have is read', async () => {
  await using world = await openWorld({ 'a.txt': 'Alpha.', 'rows.jsonl': rows(0, 5) });
  await world.run();
  world.done.delete('a.txt');
  world.done.delete('rows.jsonl#3');
  const second = await world.run();
  assert.deepEqual(counts(second), [2, 4, 0]);
  world.done.set('rows.jsonl#2', 'another content');
  world.done.set('a.txt', 'another content');
  assert.deepEqual(counts(await world.run()), [2, 4, 0]);
});

test('a corpus in which a row failed is read again, and so is a file that failed', async () => {
  await using world = await openWorld({ 'rows.jsonl': `${rows(0, 5)}{"id":9}\n`, 'empty.txt': '' });
  await world.run();
  const second = await world.run();
  assert.deepEqual(counts(second), [0, 5, 2]);
  assert.equal(second.read.length, 2);
});

test('a file that was written a moment ago is read once more', async () => {
  await using world = await openWorld({ 'a.txt': 'Alpha.' });
  await world.run({ clock: Date.now });
  assert.equal((await world.run()).read.length, 1);
  assert.equal((await world.run()).read.length, 0);
});

test('stamps that are lost cost a reading', async () => {
  await using world = await openWorld({ 'a.txt': 'Alpha.' });
  await world.run();
  await rm(join(world.index, 'stamps'), { recursive: true });
  const second = await world.run();
  assert.deepEqual([...counts(second), second.read.length], [0, 1, 0, 1]);
});
