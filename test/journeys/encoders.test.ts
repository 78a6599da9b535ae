/** Retrieval without Ollama: by an encoder in Python, by words alone, and by both as MedRAG fuses them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkout, runProgram, type Ended } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-encoders-'));
after(() => rmSync(folder, { recursive: true }));

const fake = join(checkout, 'test/fixtures/fake-sidecar/python3');

/** An index of its own, with MedRAG's layout of the corpus, as its users have it. */
function open(
  name: string,
): (words: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended> {
  const corpus = join(folder, name, 'corpus/textbooks/chunk');
  mkdirSync(corpus, { recursive: true });
  const row = (at: number, title: string, content: string): string =>
    JSON.stringify({ id: `Book_${at}`, title, content, contents: `${title}. ${content}` });
  writeFileSync(
    join(corpus, 'Book.jsonl'),
    [
      row(0, 'Pancreas', 'Beta cells make insulin.'),
      row(1, 'Femur', 'The longest bone of the body.'),
      row(2, 'Kidney', 'It makes urine out of blood.'),
    ].join('\n'),
  );
  return (words, env = {}) =>
    runProgram(words, {
      cwd: join(folder, name),
      env: {
        RAG_ENGINE: 'ollama',
        OLLAMA_BIN: '/nowhere/ollama',
        HOME: join(folder, name),
        RAG_WORKING_DIR: join(folder, name, 'index'),
        LOG_ROOT: join(folder, name, 'logs'),
        RAG_RUNTIME_STATE: join(folder, name, 'state'),
        RAG_CORPUS: 'Textbooks',
        RAG_DB_DIR: join(folder, name, 'corpus'),
        FAKE_SIDECAR_RECORD: join(folder, name, 'starts'),
        ...env,
      },
    });
}

interface Hits {
  readonly result: {
    readonly document: { readonly id: string; readonly contents: string };
    readonly score: number;
  }[][];
}

const shown = ({ code, stdout, stderr }: Ended): [string, number][] => {
  assert.equal(code, 0, stderr);
  const [hits = []] = (JSON.parse(stdout) as Hits).result;
  return hits.map(({ document, score }) => [document.id, score]);
};

test('MedCPT alone, and fused with words as MedRAG does it: passages are encoded with their titles, no Ollama is wanted', async () => {
  const run = open('medcpt');
  const env = { RAG_RETRIEVER: 'MedCPT', RERANKER_PYTHON: fake };
  const ingested = await run(['ingest', '--here', '--json'], env);
  assert.equal(ingested.code, 0, ingested.stderr);
  assert.partialDeepStrictEqual(JSON.parse(ingested.stdout), { embedded: 3, documents: { processed: 3 } });
  assert.doesNotMatch(ingested.stderr, /ollama/i);

  const inspected = await run(['index', 'inspect', '--json']);
  const { embedding } = JSON.parse(inspected.stdout) as { embedding: object };
  const made = { model: 'medcpt', digest: 'fake medcpt', dimensions: 32, metric: 'dot', maxLength: 512 };
  assert.partialDeepStrictEqual(embedding, made);

  const best = async (query: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    shown(await run(['retrieve', '--here', query, '--json'], { ...env, ...more }))[0];
  // "femur" stands in a title only; a word of a passage weighs twice as much as one of a query.
  assert.deepEqual(await best('femur bone'), ['Book_1', 4]);
  assert.deepEqual(await best('urine', { RAG_RETRIEVER: 'RRF-2' }), ['Book_2', 2 / 101]);
  assert.deepEqual(await best('urine', { RAG_RETRIEVER: 'rrf2', RAG_RRF_K: '60' }), ['Book_2', 2 / 61]);
  // Two encoders more read what the first has read; four rankings agree.
  const more = await run(['ingest', '--here', '--json'], { ...env, RAG_RETRIEVER: 'rrf4' });
  assert.partialDeepStrictEqual(JSON.parse(more.stdout), { embedded: 6, documents: { failed: 0 } });
  assert.deepEqual(await best('urine', { RAG_RETRIEVER: 'rrf4' }), ['Book_2', 4 / 101]);
  // What is removed is removed from each of them, whatever the settings say.
  const removed = await run(['index', 'remove', '**Book_2*', '--yes', '--json']);
  assert.partialDeepStrictEqual(JSON.parse(removed.stdout), { removed: 1 }, removed.stderr);
  for (const below of ['', 'encoders/contriever', 'encoders/specter']) {
    const where = join(folder, 'medcpt/index', below);
    const { stdout } = await run(['index', 'inspect', '--json', '--working-dir', where]);
    assert.equal((JSON.parse(stdout) as { chunks: number }).chunks, 2, below);
  }
  const starts = readFileSync(join(folder, 'medcpt/starts'), 'utf8').trim().split('\n');
  const asked = starts.map((start) => (JSON.parse(start) as { words: string[] }).words.slice(0, 2).join(' '));
  assert.deepEqual([...new Set(asked)], ['--encode medcpt', '--encode medcpt,contriever,specter']);
});

test('words alone: neither Python nor Ollama, and an index that no encoder can be mixed into', async () => {
  const run = open('bm25');
  const env = { RAG_RETRIEVER: 'BM25', RERANKER_PYTHON: '/nowhere/python3' };
  const ingested = await run(['ingest', '--here', '--json'], env);
  assert.equal(ingested.code, 0, ingested.stderr);
  assert.partialDeepStrictEqual(JSON.parse(ingested.stdout), { embedded: 0, documents: { processed: 3 } });
  const hits = shown(await run(['retrieve', '--here', 'bones of the body', '--json'], env));
  assert.equal(hits[0]?.[0], 'Book_1');
  assert.ok((hits[0]?.[1] ?? 0) > 0.1, 'the score is that of BM25');
  const mixed = await run(['retrieve', '--here', 'bones'], {
    RAG_RETRIEVER: 'medcpt',
    RERANKER_PYTHON: fake,
  });
  assert.equal(mixed.code, 78);
  assert.match(mixed.stderr, /it was made by words alone/);
});

test('an encoder that cannot start is said before the work, and a text that it cannot read fails alone', async () => {
  const run = open('faulty');
  const env = { RAG_RETRIEVER: 'medcpt', RERANKER_PYTHON: fake };
  const fatal = await run(['ingest', '--here'], { ...env, FAKE_SIDECAR: 'fatal' });
  assert.equal(fatal.code, 78, fatal.stderr);
  assert.match(fatal.stderr, /there is no torch[\s\S]*pip install torch/);
  const file = join(folder, 'faulty/odd.jsonl');
  writeFileSync(
    file,
    ['{"id":"good","contents":"A\\nWhole."}', '{"id":"bad","contents":"B\\n[no number] here."}'].join('\n'),
  );
  const odd = await run(['ingest', '--here', '--json', file], {
    ...env,
    RAG_CORPUS: '',
    RAG_DB_DIR: '',
    RAG_MAX_FAILED: '1',
  });
  assert.equal(odd.code, 0, odd.stderr);
  const report = JSON.parse(odd.stdout) as { failures: { document: string; reason: string }[] };
  assert.deepEqual(
    report.failures.map(({ document }) => document),
    ['odd.jsonl#bad'],
  );
  assert.match(report.failures[0]?.reason ?? '', /not finite/);
});

test('a process of the encoder that ends in the middle of an ingest costs no document', async () => {
  const run = open('crash');
  const env = {
    RAG_RETRIEVER: 'medcpt',
    RERANKER_PYTHON: fake,
    FAKE_SIDECAR: `crash-once=${join(folder, 'crash/crashed')}`,
  };
  const { code, stdout, stderr } = await run(['ingest', '--here', '--json'], env);
  assert.equal(code, 0, stderr);
  assert.partialDeepStrictEqual(JSON.parse(stdout), { documents: { processed: 3, failed: 0 } });
  assert.match(stderr, /encoder is started again/);
});
