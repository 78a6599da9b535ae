import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openParserPool } from '../../src/documents/pool.ts';
import type { ParserPool } from '../../src/documents/types.ts';
import { codeOf, RagError } from '../../src/errors.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { noStamps } from '../../src/ingest/stamps.ts';
import type { Embed } from '../../src/models/types.ts';
import type { ChunkRow, FailureRow, Known } from '../../src/store/types.ts';
import type { IngestProgress } from '../../src/work.ts';

const chunker = { targetTokens: 32, overlapTokens: 0 };
const never = new AbortController().signal;
let parser: ParserPool;
let folder: string;

before(async () => {
  parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e6, timeoutMsPerFile: 30_000 });
  folder = await mkdtemp(join(tmpdir(), 'ingest-'));
});
after(async () => {
  await parser[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A store in memory that keeps the order of commits, which is what this room promises. */
function memoryStore() {
  const commits: ChunkRow[][] = [];
  const failures: FailureRow[] = [];
  const known = new Map<string, Known>();
  return {
    commits,
    failures,
    known,
    parts: {
      known: async (keys: readonly string[]) =>
        new Map(keys.map((key) => [key, known.get(key) ?? { done: null, committed: [] }])),
      corpusState: async () => ({ rows: 0, digest: '' }),
      vectorsOf: async () => new Map(),
      selectUnmet: async () => [],
      remove: async () => undefined,
      append: async (rows: readonly ChunkRow[]) => (commits.push([...rows]), []),
      recordFailures: async (rows: readonly FailureRow[]) => void failures.push(...rows),
    },
  };
}

function countingEmbed(refuse: (text: string) => boolean = () => false): { embed: Embed; sent: string[] } {
  const sent: string[] = [];
  const embed: Embed = async ({ texts, signal }) => {
    if (signal.aborted) throw new RagError('aborted', 'Cannot embed: stopped');
    const index = texts.findIndex(refuse);
    if (index !== -1)
      throw Object.assign(new RagError('bad-vector', 'Cannot embed: not a number'), { index });
    sent.push(...texts);
    return texts.map(() => new Float32Array([1, 0]));
  };
  return { embed, sent };
}

async function corpus(name: string, files: Record<string, string>): Promise<string> {
  const root = join(folder, name);
  await mkdir(root);
  for (const [file, text] of Object.entries(files)) await writeFile(join(root, file), text);
  return root;
}

const sentences = (word: string, paragraph: number): string =>
  Array.from({ length: 6 }, (_, index) => `Here ${word} says thing ${paragraph}.${index} of its own.`).join(
    ' ',
  );

const paragraphs = (word: string, count: number): string =>
  Array.from({ length: count }, (_, index) => sentences(word, index)).join('\n\n');

const run = (inputs: string[], store: ReturnType<typeof memoryStore>, embed: Embed, signal = never) =>
  ingest({ inputs, signal }, { store: store.parts, parser, embed, chunker, stamps: noStamps });

test('ingest() commits the first chunk of a document last', async () => {
  const root = await corpus('order', { 'a.txt': paragraphs('alpha', 20), 'b.txt': paragraphs('beta', 20) });
  const store = memoryStore();
  const report = await run([root], store, countingEmbed().embed);
  assert.equal(report.documents.processed, 2);
  assert.equal(report.complete, true);
  for (const key of ['a.txt', 'b.txt']) {
    const ordinals = store.commits
      .flat()
      .filter((row) => row.document === key)
      .map((row) => row.ordinal);
    assert.ok(ordinals.length > 5);
    assert.equal(ordinals.at(-1), 0);
    assert.equal(new Set(ordinals).size, ordinals.length);
  }
});

test('ingest() tells what should be known of a document that it reads', async () => {
  const root = await corpus('warnings', { 'plain.txt': paragraphs('alpha', 1) });
  await writeFile(join(root, 'old.txt'), Buffer.from('Die Größe der Türen wurde häufig geändert.', 'latin1'));
  const store = memoryStore();
  const told: string[] = [];
  const report = await ingest(
    { inputs: [root], signal: never },
    {
      store: store.parts,
      parser,
      embed: countingEmbed().embed,
      chunker,
      stamps: noStamps,
      onWarning: (document, warning) => told.push(`${document}: ${warning}`),
    },
  );
  assert.equal(report.documents.processed, 2);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^old\.txt: .*Windows-1252/);
});

test('ingest() keeps the rows of two corpora apart that have the same ids', async () => {
  const rows = (word: string): string =>
    [1, 2].map((id) => `${JSON.stringify({ id, text: `Row ${id} of ${word}.` })}\n`).join('');
  const root = await corpus('same-ids', { 'a.jsonl': rows('alpha'), 'b.jsonl': rows('beta') });
  const store = memoryStore();
  const report = await run([root], store, countingEmbed().embed);
  assert.equal(report.documents.processed, 4);
  assert.deepEqual(
    store.commits
      .flat()
      .map(({ document, id }) => `${document} ${id}`)
      .toSorted(),
    ['a.jsonl#1 1', 'a.jsonl#2 2', 'b.jsonl#1 1', 'b.jsonl#2 2'],
  );
});

test('ingest() embeds nothing of an unchanged document', async () => {
  const root = await corpus('unchanged', { 'a.txt': paragraphs('alpha', 3) });
  const store = memoryStore();
  await run([root], store, countingEmbed().embed);
  store.known.set('a.txt', { done: store.commits[0]![0]!.hash, committed: [] });
  const second = countingEmbed();
  const report = await run([root], store, second.embed);
  assert.deepEqual(report.documents, { processed: 0, unchanged: 1, failed: 0, needs_ocr: 0 });
  assert.deepEqual(second.sent, []);
});

test('ingest() embeds nothing of an unchanged corpus, whatever its name', async () => {
  const row = (id: string): string => `${JSON.stringify({ id, text: paragraphs(id, 4) })}\n`;
  const root = await corpus('rows', {
    'corpus.json': row('a') + row('b'),
    'corpus.jsonl': row('a') + row('b'),
  });
  const store = memoryStore();
  await run([root], store, countingEmbed().embed);
  for (const { document, hash, ordinal } of store.commits.flat())
    if (ordinal === 0) store.known.set(document, { done: hash, committed: [] });
  const second = countingEmbed();
  const report = await run([root], store, second.embed);
  assert.deepEqual(report.documents, { processed: 0, unchanged: 4, failed: 0, needs_ocr: 0 });
  assert.deepEqual(second.sent, []);
});

test('ingest() tells no total that the rows of a corpus have outgrown', async () => {
  const root = await corpus('outgrown', { 'corpus.json': brokenRows(5) });
  const told: IngestProgress[] = [];
  const request = {
    inputs: [root],
    signal: never,
    onProgress: (progress: IngestProgress) => void told.push(progress),
  };
  const { parts: store } = memoryStore();
  await ingest(request, { store, parser, embed: countingEmbed().embed, chunker, stamps: noStamps });
  const last = told.at(-1);
  assert.deepEqual([last?.documentsDone, last?.documentsTotal], [6, null]);
});

test('ingest() embeds only the chunks of a row that a killed run had not committed', async () => {
  const root = await corpus('rows-resume', {
    'corpus.json': `${JSON.stringify({ id: 'a', text: paragraphs('alpha', 12) })}\n`,
  });
  const whole = memoryStore();
  const all = countingEmbed();
  await run([root], whole, all.embed);
  const rows = whole.commits.flat().filter((row) => row.ordinal > 0);
  const store = memoryStore();
  store.known.set('corpus.json#a', { done: null, committed: rows.slice(0, 3).map((row) => row.chunk) });
  const rest = countingEmbed();
  await run([root], store, rest.embed);
  assert.equal(rest.sent.length, all.sent.length - 3);
});

test('ingest() embeds only the chunks that that a killed run had not committed', async () => {
  const root = await corpus('resume', { 'a.txt': paragraphs('alpha', 12) });
  const whole = memoryStore();
  const all = countingEmbed();
  await run([root], whole, all.embed);
  const rows = whole.commits.flat().filter((row) => row.ordinal > 0);
  const store = memoryStore();
  store.known.set('a.txt', { done: null, committed: rows.slice(0, 3).map((row) => row.chunk) });
  const rest = countingEmbed();
  const report = await run([root], store, rest.embed);
  assert.equal(rest.sent.length, all.sent.length - 3);
  assert.equal(report.documents.processed, 1);
});

test('ingest() sets a document aside whose text the model refuses, and goes on', async () => {
  const root = await corpus('poison', {
    'bad.txt': `${paragraphs('fine', 3)}\n\nPOISON here`,
    'good.txt': paragraphs('good', 3),
  });
  const store = memoryStore();
  const report = await run([root], store, countingEmbed((text) => text.includes('POISON')).embed);
  assert.equal(report.documents.processed, 1);
  assert.equal(report.documents.failed, 1);
  assert.deepEqual(
    store.failures.map(({ document }) => document),
    ['bad.txt'],
  );
  assert.ok(!store.commits.flat().some((row) => row.document === 'bad.txt' && row.ordinal === 0));
});

const brokenRows = (count: number): string =>
  `{"id":"good","text":"fine"}\n${Array.from({ length: count }, (_, index) => `{"id":${index}}\n`).join('')}`;

test('ingest() records many failures in one commit', async () => {
  const root = await corpus('broken', { 'rows.jsonl': brokenRows(500) });
  const store = memoryStore();
  let calls = 0;
  const { recordFailures } = store.parts;
  store.parts.recordFailures = (rows) => recordFailures(rows).finally(() => (calls += 1));
  const report = await run([root], store, countingEmbed().embed);
  assert.equal(report.documents.failed, 500);
  assert.equal(store.failures.length, 500);
  assert.equal(calls, 1);
});

test('ingest() embeds while failures are being recorded', { timeout: 10_000 }, async () => {
  const root = await corpus('slow-failures', { 'rows.jsonl': brokenRows(1500), 'z.txt': 'Good text.' });
  const store = memoryStore();
  const embedded = Promise.withResolvers<undefined>();
  store.parts.recordFailures = () => embedded.promise;
  const embed: Embed = async ({ texts }) => {
    embedded.resolve(undefined);
    return texts.map(() => new Float32Array([1, 0]));
  };
  const report = await run([root], store, embed);
  assert.deepEqual([report.documents.processed, report.documents.failed], [2, 1500]);
});

test('ingest() sends equal texts once', async () => {
  const root = await corpus('equal', { 'a.txt': 'The same short text.', 'b.txt': 'The same short text.' });
  const store = memoryStore();
  const { embed, sent } = countingEmbed();
  await run([root], store, embed);
  assert.equal(sent.length, 1);
  assert.equal(store.commits.flat().length, 2);
});

test('ingest() drains when it is stopped: what is embedded is committed, the report says incomplete', async () => {
  const root = await corpus(
    'drain',
    Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [
        `${index}.txt`,
        index === 0 ? '' : paragraphs(`w${index}`, 40),
      ]),
    ),
  );
  const store = memoryStore();
  const stop = new AbortController();
  const { embed } = countingEmbed();
  const stopping: Embed = async (request) => {
    const vectors = await embed(request);
    stop.abort();
    return vectors;
  };
  const report = await run([root], store, stopping, stop.signal);
  assert.equal(report.complete, false);
  assert.ok(store.commits.flat().length > 32, 'the batch that was embedded is on disk');
  assert.ok(report.documents.processed < 29);
  assert.deepEqual(
    store.failures.map(({ document }) => document),
    ['0.txt'],
  );
});

test('ingest() tells the first error and keeps what was committed', async () => {
  const root = await corpus('full', { 'a.txt': paragraphs('alpha', 3) });
  const store = memoryStore();
  store.parts.append = () => Promise.reject(new RagError('disk-full', 'Cannot write: the disk is full'));
  await assert.rejects(run([root], store, countingEmbed().embed), (error) => codeOf(error) === 'disk-full');
});

test('ingest() refuses input that is not there', async () => {
  await assert.rejects(
    run([join(folder, 'nowhere')], memoryStore(), countingEmbed().embed),
    (error) => codeOf(error) === 'no-input',
  );
});
