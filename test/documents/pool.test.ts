import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../../src/errors.ts';
import { openParserPool } from '../../src/documents/pool.ts';
import type { ParsedDocument, ParserPool, ParseTask } from '../../src/documents/types.ts';
import { pdfOf } from '../fixtures/documents/pdf.ts';

const faultyParser = fileURLToPath(new URL('../fixtures/documents/faulty-parser.ts', import.meta.url));
const options = {
  threads: 2,
  chunker: { targetTokens: 512, overlapTokens: 64 },
  maxFileBytes: 1024 * 1024,
  timeoutMsPerFile: 20_000,
};
const never = new AbortController().signal;
const file = (key: string, path = key): ParseTask => ({ kind: 'file', path, key, known: null });
const stateOf = (documents: readonly ParsedDocument[]): string =>
  documents.map((document) => ('reason' in document ? document.reason : document.state)).join();

const parseAll = (pool: ParserPool, keys: readonly string[]): Promise<string[]> =>
  Promise.all(keys.map(async (key) => stateOf(await pool.parse(file(key), never))));

test('real documents are parsed in threads', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'pool-'));
  const paper = join(folder.path, 'paper.pdf');
  const corpus = join(folder.path, 'corpus.jsonl');
  await writeFile(paper, pdfOf(['On alpha.']));
  await writeFile(corpus, '{"id":"1","contents":"Beta\\nOn beta."}\n');
  await using pool = openParserPool(options);
  const [[first], [second]] = await Promise.all([
    pool.parse(file('paper.pdf', paper), never),
    pool.parse({ kind: 'rows', path: corpus, corpus: 'corpus.jsonl', from: 0, to: 38 }, never),
  ]);
  assert.ok(first?.state === 'parsed' && second?.state === 'parsed');
  assert.deepEqual([first.chunks[0]?.text, first.chunks[0]?.page], ['On alpha.', 1]);
  assert.deepEqual([second.key, second.id, second.title], ['corpus.jsonl#1', '1', 'Beta']);
});

test('a document that hangs is failed after its time, and the others are parsed', async () => {
  await using pool = openParserPool({ ...options, timeoutMsPerFile: 1500 }, faultyParser);
  const states = await parseAll(pool, ['a', 'hang', 'b', 'c', 'd']);
  assert.deepEqual(states, ['parsed', 'it took longer than 1.5 s', 'parsed', 'parsed', 'parsed']);
});

test('waiting for a thread does not count as the time of a document', async () => {
  await using pool = openParserPool({ ...options, threads: 1, timeoutMsPerFile: 1500 }, faultyParser);
  const states = await parseAll(pool, ['hang', 'a', 'b']);
  assert.deepEqual(states, ['it took longer than 1.5 s', 'parsed', 'parsed']);
});

test('files that are too large together are read one after the other', async () => {
  const tight = { ...options, timeoutMsPerFile: 1500, maxBytesAtOnce: 100 };
  await using pool = openParserPool(tight, faultyParser);
  const ended: string[] = [];
  const parse = async (key: string, bytes: number): Promise<void> => {
    await pool.parse({ kind: 'file', path: key, key, known: null, bytes }, never);
    ended.push(key);
  };
  await Promise.all([parse('hang', 60), parse('a', 60), parse('b', 500), parse('c', 10)]);
  assert.deepEqual(ended, ['hang', 'a', 'b', 'c']);
  ended.length = 0;
  await Promise.all([parse('hang', 60), parse('a', 40)]);
  assert.deepEqual(ended, ['a', 'hang']);
});

test('a thread that dies takes one document with it', async () => {
  await using pool = openParserPool(options, faultyParser);
  const [exit, ...others] = await parseAll(pool, ['exit', 'a', 'b', 'c']);
  assert.match(exit ?? '', /its parser died/);
  assert.deepEqual(others, ['parsed', 'parsed', 'parsed']);
});

test('rows whose thread dies are failed as one, under the name of their place', async () => {
  await using pool = openParserPool(options, faultyParser);
  const task: ParseTask = { kind: 'rows', path: 'c.jsonl', corpus: 'exit', from: 10, to: 90 };
  const [lost] = await pool.parse(task, never);
  assert.ok(lost?.state === 'failed');
  assert.equal(lost.key, 'exit#@10');
  assert.match(lost.reason, /^rows at bytes 10 to 90: its parser died/);
});

test('aborting rejects what runs and what waits, and the pool goes on', async () => {
  await using pool = openParserPool({ ...options, threads: 1 }, faultyParser);
  const stop = new AbortController();
  const both = ['hang', 'a'].map((key) => pool.parse(file(key), stop.signal));
  stop.abort();
  for (const outcome of await Promise.allSettled(both)) {
    assert.ok(outcome.status === 'rejected');
    assert.equal(codeOf(outcome.reason), 'aborted');
  }
  assert.equal(stateOf(await pool.parse(file('b'), never)), 'parsed');
});

test('disposing of the pool rejects what still runs', async () => {
  const pool = openParserPool(options, faultyParser);
  const hanging = assert.rejects(pool.parse(file('hang'), never), { code: 'aborted' });
  await pool[Symbol.asyncDispose]();
  await hanging;
});

test('many files are hashed in one order; what cannot be read or is too large has no hash', async () => {
  const folder = await mkdtempDisposable(join(tmpdir(), 'hashes-'));
  await using _ = { [Symbol.asyncDispose]: () => folder.remove() };
  const path = (name: string): string => join(folder.path, name);
  await writeFile(path('a'), 'alpha');
  await writeFile(path('large'), 'x'.repeat(101));
  execFileSync('mkfifo', [path('fifo')]);
  await using pool = openParserPool(options);
  const hashes = await pool.hashes(['a', 'large', 'fifo', 'gone'].map(path), 100, never);
  assert.deepEqual(hashes, [hash('sha256', 'alpha'), null, null, null]);
  const stop = new AbortController();
  stop.abort();
  assert.deepEqual(await pool.hashes([path('a')], 100, stop.signal), [null]);
});
