/** What a user meets at the command line: help, errors with a mend, exit codes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { settingNames } from '../../src/config/settings.ts';
import { checkout, runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-command-line-'));
after(() => rmSync(folder, { recursive: true }));
const run = (words: string[], env: Record<string, string> = {}) =>
  runProgram(words, {
    cwd: folder,
    env: { RAG_SHARED_ROOT: join(folder, 'data'), LOG_ROOT: join(folder, 'logs'), ...env },
  });

test('every verb has a help with examples', async () => {
  const overview = await run(['help']);
  for (const verb of ['run', 'plan', 'config', 'status', 'ingest', 'query', 'retrieve', 'eval', 'index']) {
    assert.match(overview.stdout, new RegExp(`^  ${verb} `, 'm'));
    const { code, stdout } = await run([verb, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /Examples:/);
  }
});

test('config prints every setting with its source', async () => {
  const { code, stdout } = await run(['config', '--json'], { RAG_TOPK: '9' });
  assert.equal(code, 0);
  const rows = JSON.parse(stdout) as { name: string; value: unknown; source: string }[];
  assert.deepEqual(
    rows.map(({ name }) => name),
    settingNames,
  );
  assert.deepEqual(rows.find(({ name }) => name === 'RAG_TOPK')?.value, 9);
  assert.equal(rows.find(({ name }) => name === 'RAG_TOPK')?.source, 'environment');
});

test('plan cuts opaque tokens and refuses what the job cannot give', async () => {
  const gpus = { CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b,MIG-c', RAG_ENGINE: 'embedded' };
  const plan = await run(['plan', '--json', '--mode', 'serve'], gpus);
  const { slices } = JSON.parse(plan.stdout) as { slices: unknown };
  assert.deepEqual(slices, {
    ollama: ['GPU-a', 'GPU-b'],
    reranker: ['MIG-c'],
    retriever: [],
    workload: [],
    parser: [],
  });
  const refused = await run(['plan', '--mode', 'serve', '--gpus', 'ollama=0-1,reranker=3'], gpus);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /Cannot give the reranker GPU 3: the job has 3 GPUs \(0-2\)/);
});

const failures: [string, string[], Record<string, string>, number, RegExp][] = [
  ['an unknown verb', ['inspct'], {}, 64, /no such verb/],
  ['an unknown flag', ['run', '--input-flie', 'x'], {}, 64, /did you mean --/],
  ['a word that no flag takes', ['run', 'papers'], {}, 64, /--input-file papers/],
  ['a wrong setting', ['run'], { RAG_TOPK: '-1' }, 78, /RAG_TOPK/],
  ['a setting that is not there yet', ['run'], { RAG_IDLE_TIMEOUT: '600' }, 78, /not yet supported/],
  ['a wrong path', ['run', '--mode', 'ingest', '--input-file', 'nowhere'], {}, 65, /does not exist/],
  [
    'a missing Ollama in a job',
    ['run'],
    { SLURM_JOB_ID: '1', CUDA_VISIBLE_DEVICES: '0', OLLAMA_BIN: '/no/ollama' },
    78,
    /OLLAMA_BIN/,
  ],
  [
    'a job without a GPU',
    ['run'],
    { SLURM_JOB_ID: '1', CUDA_VISIBLE_DEVICES: '', OLLAMA_BIN: '/bin/true' },
    78,
    /--gres=gpu/,
  ],
  ['a status of nothing', ['status', '4711'], {}, 65, /no state file/],
];
for (const [what, words, env, code, says] of failures) {
  test(`${what} ends with ${code} and says what to do`, async () => {
    const ended = await run(words, env);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, says);
    assert.match(ended.stderr, /hint: /);
    assert.doesNotMatch(ended.stderr, /\n\s+at /, 'no stack trace');
  });
}

test('ingest, retrieve and query work in place, and the index remembers', async () => {
  const env = { RAG_ENGINE: 'embedded', RAG_WORKING_DIR: join(folder, 'index') };
  const corpus = join(import.meta.dirname, '../../examples/corpus');
  const first = await run(['ingest', '--here', corpus, '--json'], env);
  const summary = JSON.parse(first.stdout) as {
    documents: { processed: number };
    chunks: number;
    exit: number;
  };
  assert.equal(first.code, 0, first.stderr);
  assert.ok(summary.documents.processed > 2 && summary.chunks > 10);

  const again = JSON.parse((await run(['ingest', '--here', corpus, '--json'], env)).stdout) as {
    documents: { unchanged: number };
    embedded: number;
  };
  assert.equal(again.documents.unchanged, summary.documents.processed);
  assert.equal(again.embedded, 0);

  const found = JSON.parse(
    (await run(['retrieve', '--here', 'exit code of a full disk', '--topk', '2', '--json'], env)).stdout,
  ) as {
    result: { document: { id: string; contents: string }; score: number }[][];
  };
  assert.equal(found.result[0]?.length, 2);

  const answered = await run(
    ['query', '--here', 'Which exit code means that a disk is full?', '--json'],
    env,
  );
  const record = JSON.parse(answered.stdout) as {
    answer: string;
    citations: { n: number; file: string }[];
    reranked: boolean;
  };
  assert.match(record.answer, /\[1\]/);
  assert.equal(record.citations[0]?.n, 1);
  assert.equal(record.reranked, true);

  const inspected = JSON.parse((await run(['index', 'inspect', '--json'], env)).stdout) as {
    documents: unknown;
    chunks: number;
    shards: number;
  };
  assert.deepEqual(inspected.documents, { processed: summary.documents.processed, failed: 0, needs_ocr: 0 });
  assert.deepEqual([inspected.chunks, inspected.shards], [summary.chunks, 0]);
});

test('the defaults are places under the folder where it was called, and stay there', async () => {
  const cwd = mkdtempSync(join(folder, 'cwd-'));
  await writeFile(join(cwd, 'note.txt'), 'The default index lies under rag-data.');
  const env = { RAG_ENGINE: 'embedded' };
  const call = (...words: string[]) => runProgram(words, { cwd, env });
  assert.equal((await call('ingest', '--here', 'note.txt')).code, 0);
  const { stdout } = await call('index', 'inspect', '--json');
  assert.equal((JSON.parse(stdout) as { documents: { processed: number } }).documents.processed, 1);
  assert.deepEqual((await readdir(cwd)).sort(), ['note.txt', 'rag-data'], 'nothing else is left behind');
});

test('a job without a generator says so instead of waiting', async () => {
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_WORKING_DIR: join(folder, 'index'),
    OLLAMA_GENERATE_MODEL: 'none',
  };
  const { code, stderr } = await run(['query', '--here', 'why?'], env);
  assert.equal(code, 64);
  assert.match(stderr, /this job has no generator/);
});

test('a result that a full disk swallowed is no success', () => {
  const full = openSync('/dev/full', 'w');
  try {
    const door = join(checkout, 'dist/supervisor.js');
    const env = { PATH: process.env['PATH'], RAG_SHARED_ROOT: join(folder, 'data') };
    const { status } = spawnSync(process.execPath, [door, 'config'], {
      cwd: folder,
      env,
      stdio: ['ignore', full, 'ignore'],
    });
    assert.equal(status, 74);
  } finally {
    closeSync(full);
  }
});
