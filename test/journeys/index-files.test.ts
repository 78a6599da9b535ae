/** An index as files and versions: pinned, written out, read in again with its vectors, made anew by another encoder. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { processesMarked, runProgram, startProgram, until, type Ended } from './program.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-files-'));
  mkdirSync(join(folder, 'in'));
  for (const topic of ['lace plants', 'running water', 'weather'])
    writeFileSync(join(folder, 'in', `${topic}.txt`), `All of this is about ${topic}.`);
  const rows = Array.from({ length: 2500 }, (_, n) => ({
    id: n,
    contents: `"Entry ${n}"\nAn entry about item ${n} and topic ${n % 13}.`,
  }));
  writeFileSync(join(folder, 'corpus.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const { code, stderr } = await run({}, 'ingest', '--here', 'in', 'corpus.jsonl');
  assert.equal(code, 0, stderr);
});
after(() => rm(folder, { recursive: true }));

const environment = { RAG_ENGINE: 'embedded' };
const run = (env: Readonly<Record<string, string>>, ...words: string[]): Promise<Ended> =>
  runProgram(words, { cwd: folder, env: { ...environment, ...env } });

async function json<Value>(env: Readonly<Record<string, string>>, ...words: string[]): Promise<Value> {
  const { code, stdout, stderr } = await run(env, ...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Value;
}

interface Found {
  readonly result: readonly (readonly { readonly document: { readonly chunk: string } }[])[];
}
const chunks = async (env: Readonly<Record<string, string>>, ...words: string[]): Promise<string[]> =>
  (await json<Found>(env, 'retrieve', '--here', 'running water of topic 7', '--topk', '9', ...words)).result
    .flat()
    .map(({ document }) => document.chunk);

interface Counts {
  readonly documents: { readonly processed: number; readonly unchanged: number };
  readonly embedded: number;
  readonly before: string | null;
}

test('a version with a name answers the same while others ingest, and is written by nobody', async () => {
  await run({}, 'index', 'tag', 'paper-1');
  const before = await chunks({}, '--index-version', 'paper-1');
  writeFileSync(join(folder, 'in', 'new.txt'), 'Running water of topic 7, and running water again.');
  assert.equal((await json<Counts>({}, 'ingest', '--here', 'in')).documents.processed, 1);
  assert.deepEqual(await chunks({ RAG_INDEX_VERSION: 'paper-1' }), before);
  assert.notDeepEqual(await chunks({}), before);
  const written = await run({ RAG_INDEX_VERSION: 'paper-1' }, 'ingest', '--here', 'in');
  assert.equal(written.code, 64);
  assert.match(written.stderr, /a version is never changed/);
  const unknown = await run({}, 'retrieve', '--here', 'x', '--index-version', 'paper-2');
  assert.equal(unknown.code, 78);
  assert.match(unknown.stderr, /it has paper-1/);
});

test('what was exported is imported elsewhere and answers the same; the texts were not embedded again', async () => {
  const { stdout } = await run({}, 'index', 'export', 'out');
  assert.match(stdout, /^2504 passages of 2504 documents/);
  const imported = await json<Counts>({}, 'index', 'import', 'out', '--working-dir', 'copy');
  assert.deepEqual([imported.documents.processed, imported.embedded], [2504, 0]);
  assert.deepEqual(await chunks({}, '--working-dir', 'copy'), await chunks({}));
});

/** Rows of the exported passages that are the corpus, which come last in no order but that of their names. */
function corpusVectors(): { readonly rows: string[]; readonly vectors: Buffer } {
  const lines = readFileSync(join(folder, 'out/passages.jsonl'), 'utf8').trimEnd().split('\n');
  const npy = readFileSync(join(folder, 'out/vectors.npy'));
  const from = 10 + npy.readUInt16LE(8);
  const bytes = (npy.length - from) / lines.length;
  const kept = lines
    .map((line, at) => ({ ...(JSON.parse(line) as { document: string; contents: string }), at }))
    .filter(({ document }) => document.startsWith('corpus.jsonl#'));
  return {
    rows: kept.map(({ document, contents }) => JSON.stringify({ id: document.split('#')[1], contents })),
    vectors: Buffer.concat(kept.map(({ at }) => npy.subarray(from + at * bytes, from + (at + 1) * bytes))),
  };
}

test("vectors that lie beside a corpus as FlashRAG's are imported with it, and of too few nothing is", async () => {
  const { rows, vectors } = corpusVectors();
  mkdirSync(join(folder, 'wiki'));
  writeFileSync(join(folder, 'wiki/corpus.jsonl'), rows.join('\n'));
  writeFileSync(join(folder, 'wiki/emb_x.memmap'), vectors);
  const words = ['index', 'import', 'wiki/corpus.jsonl', '--working-dir', 'wiki-index'];
  const imported = await json<Counts>({}, ...words);
  assert.deepEqual([imported.documents.processed, imported.embedded], [2500, 0]);
  const rowBytes = vectors.length / rows.length;
  writeFileSync(join(folder, 'fewer'), vectors.subarray(rowBytes));
  const fewer = await run({}, ...words, '--vectors', 'fewer');
  assert.equal(fewer.code, 65);
  assert.match(fewer.stderr, /it has 2499 rows, .* has 2500/);
});

test('an index of another encoder is refused with the verb that mends it, which is killed, run again, and mends it', async () => {
  const other = { RAG_VECTOR_TYPE: 'f32' };
  const refused = await run(other, 'retrieve', '--here', 'x');
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /hint: \S+ (?:\S+ )?index reembed/);
  const before = await chunks({});
  const index = join(folder, 'rag-data/rag_storage');

  const killed = startProgram(['index', 'reembed'], {
    cwd: folder,
    env: { ...environment, ...other, TEST_RUN: folder },
  });
  await until('rows in the new index', 20_000, () =>
    existsSync(`${index}.reembed/shards`) && readdirSync(`${index}.reembed/shards`).length > 0
      ? true
      : undefined,
  );
  process.kill(killed.pid, 'SIGKILL');
  await killed.ended;
  await until('the end of its services', 10_000, () =>
    processesMarked('TEST_RUN', folder).length === 0 ? true : undefined,
  );
  assert.deepEqual(await chunks({}), before);

  const done = await json<Counts>(other, 'index', 'reembed');
  assert.equal(done.documents.processed + done.documents.unchanged, 2504);
  assert.deepEqual(new Set(await chunks(other)), new Set(before));
  assert.ok(done.before !== null && existsSync(done.before));
  const { code, stdout } = await run(other, 'index', 'verify');
  assert.deepEqual([code, stdout.split('\n').at(-2)], [0, 'ok']);
  assert.ok(!existsSync(`${index}.reembed`));
  assert.ok((await chunks({ RAG_INDEX_VERSION: 'paper-1' })).length > 0);
  assert.equal(
    (await json<Counts>(other, 'ingest', '--here', 'in', 'corpus.jsonl')).documents.unchanged,
    2504,
  );
});
