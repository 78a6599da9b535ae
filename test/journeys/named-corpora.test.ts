/** Corpora that users of MedRAG and FlashRAG have on disk already, by the names and in the folders they know. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-named-corpora-'));
after(() => rmSync(folder, { recursive: true }));

function write(path: string, rows: readonly object[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), rows.map((row) => JSON.stringify(row)).join('\n'));
}

const medragRow = (id: string, title: string, content: string): object => ({
  id,
  title,
  content,
  contents: `${title}. ${content}`,
});

interface Found {
  readonly result: { readonly document: { readonly id: string; readonly contents: string } }[][];
}

async function ingestThenRetrieve(env: Readonly<Record<string, string>>, query: string): Promise<Found> {
  const options = { cwd: folder, env: { RAG_ENGINE: 'embedded', LOG_ROOT: join(folder, 'logs'), ...env } };
  const ingested = await runProgram(['ingest', '--here', '--json'], options);
  assert.equal(ingested.code, 0, `${ingested.stdout}\n${ingested.stderr}`);
  const { code, stdout, stderr } = await runProgram(['retrieve', '--here', query, '--json'], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Found;
}

test("MedRAG's set of two corpora is read from its folders, its indexes are not, and ids stay its own", async () => {
  write('med/textbooks/chunk/Anatomy_Gray.jsonl', [
    medragRow('Anatomy_Gray_0', 'Anatomy_Gray', 'The femur is the longest bone.'),
    medragRow('Anatomy_Gray_1', 'Anatomy_Gray', 'The heart has four chambers.'),
  ]);
  write('med/statpearls/chunk/article-1.jsonl', [
    medragRow('article-1_0', 'Diabetes -- Introduction', 'Metformin lowers glucose.'),
  ]);
  write('med/textbooks/index/ncbi/MedCPT-Article-Encoder/metadatas.jsonl', [{ index: 0, source: 'femur' }]);
  write('med/pubmed/chunk/pubmed23n0001.jsonl', [medragRow('pubmed23n0001_0', 'Femur', 'Not of this set.')]);
  const env = { RAG_CORPUS: 'MedText', RAG_DB_DIR: join(folder, 'med'), RAG_WORKING_DIR: join(folder, 'a') };
  const [bones = []] = (await ingestThenRetrieve(env, 'femur')).result;
  assert.deepEqual(bones[0]?.document.id, 'Anatomy_Gray_0');
  assert.equal(bones[0].document.contents, '"Anatomy_Gray"\nThe femur is the longest bone.');
  assert.deepEqual(bones.map(({ document }) => document.id).sort(), [
    'Anatomy_Gray_0',
    'Anatomy_Gray_1',
    'article-1_0',
  ]);
});

test("FlashRAG's corpus is a file of the data folder, with numbers as ids", async () => {
  write('flash/wiki18_100w.jsonl', [
    { id: 0, contents: '"Aaron"\nAaron is a prophet.' },
    { id: 1, contents: '"Femur"\nA bone of the leg.' },
  ]);
  const env = {
    RAG_CORPUS: 'wiki18_100w.jsonl',
    RAG_DB_DIR: join(folder, 'flash'),
    RAG_WORKING_DIR: join(folder, 'b'),
  };
  const [hits = []] = (await ingestThenRetrieve(env, 'prophet')).result;
  assert.equal(hits[0]?.document.id, '0');
  assert.equal(hits[0].document.contents, '"Aaron"\nAaron is a prophet.');
});

test('a corpus that is not there is said before anything starts', async () => {
  const env = { RAG_CORPUS: 'PubMed', RAG_DB_DIR: join(folder, 'nowhere'), RAG_ENGINE: 'embedded' };
  const { code, stderr } = await runProgram(['ingest', '--here'], { cwd: folder, env });
  assert.equal(code, 65, stderr);
  assert.match(stderr, /nowhere\/pubmed\/chunk/);
});
