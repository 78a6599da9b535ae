/** `--prune` removes what is gone, and nothing of which that is not certain. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import type { ParserPool } from '../../src/documents/types.ts';
import { codeOf } from '../../src/errors.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { openStamps } from '../../src/ingest/stamps.ts';
import type { Embed } from '../../src/models/types.ts';
import type { IngestReport } from '../../src/work.ts';
import { openForkedStore } from '../store/forked-host.ts';
import { encoder, vectorOf } from '../store/samples.ts';

const chunker = { targetTokens: 64, overlapTokens: 0 };
const never = new AbortController().signal;
let parser: ParserPool;
before(() => {
  parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e9, timeoutMsPerFile: 30_000 });
});
after(() => parser[Symbol.asyncDispose]());

interface World extends AsyncDisposable {
  at(name: string): string;
  write(files: Readonly<Record<string, string>>): void;
  remove(...names: string[]): void;
  run(inputs: readonly string[], options?: { prune?: boolean; signal?: AbortSignal }): Promise<IngestReport>;
  /** Keys of the documents in the index, failed ones too. */
  keys(): Promise<string[]>;
}

async function openWorld(files: Readonly<Record<string, string>>): Promise<World> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'prune-'));
  chmodSync(folder.path, 0o755);
  const forked = await openForkedStore(join(folder.path, 'index'));
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const embed: Embed = async ({ texts }) => texts.map((text) => vectorOf(text));
  const at = (name: string): string => join(folder.path, name);
  const write: World['write'] = (some) => {
    for (const [name, text] of Object.entries(some)) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), text);
    }
  };
  write(files);
  let runs = 0;
  return {
    at,
    write,
    remove: (...names) => {
      for (const name of names) rmSync(at(name), { recursive: true });
    },
    run: async (inputs, { prune = true, signal = never } = {}) => {
      await using stamps = await openStamps(at('index'), `run-${++runs}`, () => Date.now() + 60_000);
      const parts = { store, parser, embed, chunker, stamps };
      const report = await ingest({ inputs: inputs.map(at), prune, signal }, parts);
      if (report.complete) await store.consolidate();
      return report;
    },
    keys: async () =>
      (await store.selectNamed({ keys: ['**', '**/*#*'], files: [] }))
        .map((each) => each.document)
        .toSorted(),
    [Symbol.asyncDispose]: async () => {
      await forked[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

const rows = (...ids: number[]): string =>
  ids.map((id) => `${JSON.stringify({ id, text: `Row ${id}.` })}\n`).join('');

test('documents whose file is gone are removed, failed ones too, and the report says how many', async () => {
  await using world = await openWorld({
    'in/a.txt': 'A.',
    'in/s/b.txt': 'B.',
    'in/s/c.txt': 'C.',
    'in/e.txt': '',
  });
  await world.run(['in']);
  world.remove('in/s', 'in/e.txt');
  assert.equal((await world.run(['in'], { prune: false })).removed, 0);
  assert.equal((await world.keys()).length, 4);
  assert.equal((await world.run(['in'])).removed, 3);
  assert.deepEqual(await world.keys(), ['a.txt']);
  assert.equal((await world.run(['in'])).removed, 0);
});

test('a document whose file has become a corpus is removed', async () => {
  await using world = await openWorld({ 'in/c.jsonl': '["no row"]', 'in/d.txt': 'D.' });
  await world.run(['in']);
  assert.deepEqual(await world.keys(), ['c.jsonl', 'd.txt']);
  world.write({ 'in/c.jsonl': rows(1, 2) });
  assert.equal((await world.run(['in'])).removed, 1);
  assert.deepEqual(await world.keys(), ['c.jsonl#1', 'c.jsonl#2', 'd.txt']);
});

test('rows that are gone from a corpus are removed, unless one of its rows could not be read', async () => {
  await using world = await openWorld({ 'in/c.jsonl': rows(1, 2, 3), 'in/d.jsonl': rows(1, 2, 3) });
  await world.run(['in']);
  world.write({ 'in/c.jsonl': rows(1, 3), 'in/d.jsonl': `${rows(1)}{"id":2}\n` });
  assert.equal((await world.run(['in'])).removed, 1);
  const left = [
    'c.jsonl#1',
    'c.jsonl#3',
    'd.jsonl#1',
    'd.jsonl#2',
    'd.jsonl#3',
    `d.jsonl#@${rows(1).length}`,
  ];
  assert.deepEqual(await world.keys(), left);
  world.remove('in/c.jsonl', 'in/d.jsonl');
  world.write({ 'in/a.txt': 'A.' });
  assert.equal((await world.run(['in'])).removed, 6);
});

test('rows of a corpus that needed no reading stay', async () => {
  await using world = await openWorld({ 'in/c.jsonl': rows(1, 2, 3), 'in/a.txt': 'A.' });
  await world.run(['in']);
  assert.equal((await world.run(['in'])).removed, 0);
  assert.equal((await world.keys()).length, 4);
});

test('only folders that were given are pruned, and of a glob only what it lists', async () => {
  const files = ['one/a.md', 'one/b.txt', 'two/c.md', 'two/d.md'];
  await using world = await openWorld(Object.fromEntries(files.map((name) => [name, `Text of ${name}.`])));
  await world.run(['one', 'two']);
  world.remove('one/b.txt', 'two/c.md', 'two/d.md');
  assert.equal((await world.run(['one/*.md'])).removed, 0);
  assert.equal((await world.run(['one'])).removed, 1);
  assert.deepEqual(await world.keys(), ['a.md', 'c.md', 'd.md']);
});

test('an empty folder, a folder that is gone and a file that is gone remove nothing: a disk may not be mounted', async () => {
  await using world = await openWorld({ 'here/a.txt': 'A.', 'disk/b.txt': 'B.', 'single.txt': 'C.' });
  await world.run(['here', 'disk', 'single.txt']);
  world.remove('single.txt', 'disk/b.txt');
  assert.equal((await world.run(['here', 'disk', 'single.txt'])).removed, 0);
  world.remove('disk');
  assert.equal((await world.run(['here', 'disk'])).removed, 0);
  assert.equal((await world.keys()).length, 3 + 2, 'what was given and is not there has failed');
});

test('a file that was not met and is there all the same stays', async () => {
  await using world = await openWorld({ 'in/a.txt': 'A.', 'in/b.txt': 'B.' });
  await world.run(['in']);
  renameSync(world.at('in'), world.at('moved'));
  world.write({ 'in/a.txt': 'A.' });
  // As of another run that has just brought it: its file is at the old place again when it is asked for.
  world.write({ 'in/.later/x': '', 'in/b.txt': 'B.' });
  assert.equal((await world.run(['in/a*'])).removed, 0);
  assert.deepEqual(await world.keys(), ['a.txt', 'b.txt']);
});

/** Nobody is refused what root is not. */
async function asNobody<Out>(work: () => Promise<Out>): Promise<Out> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test('below a root with a folder that cannot be listed nothing is removed', async () => {
  await using world = await openWorld({
    'in/a.txt': 'A.',
    'in/b.txt': 'B.',
    'in/locked/c.txt': 'C.',
    'other/d.txt': 'D.',
    'other/e.txt': 'E.',
  });
  await world.run(['in', 'other']);
  world.remove('in/b.txt', 'other/e.txt');
  chmodSync(world.at('in/locked'), 0);
  const report = await asNobody(() => world.run(['in', 'other']));
  assert.match(report.failures.map(({ reason }) => reason).join(), /cannot be listed/);
  assert.equal(report.removed, 1);
  assert.deepEqual(await world.keys(), ['a.txt', 'b.txt', 'd.txt', 'locked', 'locked/c.txt']);
  chmodSync(world.at('in/locked'), 0o755);
  assert.equal((await world.run(['in'])).removed, 1);
});

test('a run that was stopped removes nothing', async () => {
  await using world = await openWorld({ 'in/a.txt': 'A.', 'in/b.txt': 'B.' });
  await world.run(['in']);
  world.remove('in/b.txt');
  const stop = new AbortController();
  stop.abort();
  const report = await world.run(['in'], { signal: stop.signal }).catch((error: unknown) => codeOf(error));
  assert.ok(report === 'aborted' || (typeof report === 'object' && !report.complete && report.removed === 0));
  assert.deepEqual(await world.keys(), ['a.txt', 'b.txt']);
});
