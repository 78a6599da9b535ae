import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { load } from '../../src/config/load.ts';
import { flagOf, settingNames } from '../../src/config/settings.ts';
import { codeOf } from '../../src/errors.ts';

const from = (environment: Record<string, string>, flags = {}, file?: string) =>
  load({ environment, flags, file });

function withFile<T>(text: string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  try {
    const path = join(folder, 'cluster.yaml');
    writeFileSync(path, text);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('load() gives every setting a checked value and says where it came from', () => {
  const { settings, sources } = from({ RAG_TOPK: '8' });
  assert.equal(settings.RAG_TOPK, 8);
  assert.equal(sources.RAG_TOPK, 'environment');
  assert.equal(settings.RAG_CANDIDATES, 100);
  assert.equal(sources.RAG_CANDIDATES, 'default');
});

test('load() lets a flag win over the environment and the environment over the file', () => {
  withFile('RAG_TOPK: 3\nRAG_RRF_K: 100\nRAG_CANDIDATES: 7\n', (path) => {
    const { settings, sources } = from({ RAG_TOPK: '4', RAG_RRF_K: '90' }, { RAG_TOPK: '5' }, path);
    assert.deepEqual([settings.RAG_TOPK, settings.RAG_RRF_K, settings.RAG_CANDIDATES], [5, 90, 7]);
    assert.deepEqual(
      [sources.RAG_TOPK, sources.RAG_RRF_K, sources.RAG_CANDIDATES],
      ['flag', 'environment', 'file'],
    );
  });
});

test('load() reports all problems at once, each with its source', () => {
  const attempt = () => from({ RAG_TOPK: 'many', RAG_MIN_SCORE: '2' }, { RAG_VECTOR_TYPE: 'f8' });
  assert.throws(attempt, (error: Error) => {
    assert.equal(codeOf(error), 'settings');
    for (const part of ['RAG_TOPK', '"many"', 'environment', 'RAG_MIN_SCORE', 'RAG_VECTOR_TYPE', 'flag']) {
      assert.ok(error.message.includes(part), `${part} is missing in: ${error.message}`);
    }
    return true;
  });
});

test('load() refuses what is not yet supported instead of ignoring it', () => {
  assert.throws(() => from({ RAG_IDLE_TIMEOUT: '600' }), /RAG_IDLE_TIMEOUT.*not yet supported/);
});

test("load() reads a retriever's name in MedRAG's spellings too, and leaves a folder as it is written", () => {
  const retriever = (RAG_RETRIEVER: string): string => from({ RAG_RETRIEVER }).settings.RAG_RETRIEVER;
  for (const [given, is] of [
    ['MedCPT', 'medcpt'],
    ['RRF-2', 'rrf2'],
    ['BM25', 'bm25'],
    ['bm25+Contriever', 'bm25+contriever'],
    ['/models/E5', '/models/E5'],
    ['ncbi/MedCPT-Query-Encoder', 'ncbi/MedCPT-Query-Encoder'],
    ['bm25+/models/E5', 'bm25+/models/E5'],
    ['~/E5', `${homedir()}/E5`],
    ['./E5', `${process.cwd()}/E5`],
    ['medcpt=~/models', `medcpt=${homedir()}/models`],
  ] as const)
    assert.equal(retriever(given), is);
  assert.throws(() => retriever('medcbt'), /RAG_RETRIEVER: "medcbt" is none of ollama, medcpt/);
  assert.throws(() => retriever('bm25+bm25'), /RAG_RETRIEVER/);
});

test('load() ignores an OLLAMA_HOST that is a bind address, with a warning', () => {
  for (const host of ['0.0.0.0', '0.0.0.0:11434', ':11434', 'http://0.0.0.0:11434', '[::]:11434']) {
    const { settings, warnings } = from({ OLLAMA_HOST: host });
    assert.equal(settings.OLLAMA_HOST, undefined);
    assert.match(warnings.join(), /bind address/);
  }
});

test('load() reads a file as it is written: no number, no list and no variable that is ignored changes it', () => {
  const text = [
    'RAG_INDEX_VERSION: 1.10',
    'RAG_MIN_SCORE: 0.0000001',
    'RAG_SERVICES: [embed, rerank]',
    'RAG_INPUT_FILE: [a b.md, c.md]',
    'RAG_PRUNE: true',
    'RAG_TOPK: null',
    'RERANKER_MODEL: ~',
    'RAG_CANDIDATES:',
    'RAG_DB_DIR: ~/corpora',
    'OLLAMA_HOST: node17:11434',
  ].join('\n');
  withFile(`${text}\n`, (path) => {
    const { settings, warnings } = from({ OLLAMA_HOST: '0.0.0.0' }, {}, path);
    assert.equal(settings.RAG_INDEX_VERSION, '1.10');
    assert.equal(settings.RAG_MIN_SCORE, 1e-7);
    assert.deepEqual(settings.RAG_SERVICES, ['embed', 'rerank']);
    assert.equal(settings.RAG_INPUT_FILE, 'a b.md\nc.md');
    assert.deepEqual([settings.RAG_PRUNE, settings.RAG_TOPK, settings.RAG_CANDIDATES], [true, 5, 100]);
    assert.equal(settings.RERANKER_MODEL, undefined);
    assert.equal(settings.RAG_DB_DIR, `${homedir()}/corpora`);
    assert.equal(settings.OLLAMA_HOST, 'node17:11434');
    assert.match(warnings.join(), /bind address/);
  });
});

test('load() names of two settings that do not go together the one that was given', () => {
  assert.throws(
    () => from({}, { RAG_CHUNK_TOKENS: '100' }),
    /RAG_CHUNK_TOKENS: 100 .*the flag --chunk-tokens/,
  );
  assert.throws(() => from({ RAG_CHUNK_OVERLAP: '400' }), /RAG_CHUNK_OVERLAP: 400 .*the environment/);
});

test('load() counts an empty variable as unset', () => {
  assert.equal(from({ RAG_TOPK: '' }).settings.RAG_TOPK, 5);
});

test('load() refuses unknown keys and broken YAML in a file', () => {
  withFile('RAG_TOPKK: 3\n', (path) =>
    assert.throws(() => from({}, {}, path), /RAG_TOPKK: is not a setting/),
  );
  withFile('- just\n- a list\n', (path) => assert.throws(() => from({}, {}, path), /it is no map/));
  assert.throws(() => from({}, {}, '/does/not/exist.yaml'), /Cannot read the settings file/);
});

test('load() puts state and index under the shared root', () => {
  const { settings } = from({ RAG_SHARED_ROOT: '/data' });
  assert.equal(settings.RAG_RUNTIME_STATE, '/data/runtime');
  assert.equal(settings.RAG_WORKING_DIR, '/data/rag_storage');
});

test('every setting has a flag of its own', () => {
  assert.equal(new Set(settingNames.map(flagOf)).size, settingNames.length);
});

test('load() makes every path absolute, because services run elsewhere', () => {
  const { settings } = from({ RAG_WORKING_DIR: 'idx', OLLAMA_BIN: './ollama', OLLAMA_MODELS: 'models' });
  assert.deepEqual(
    [
      settings.RAG_WORKING_DIR,
      settings.RAG_RUNTIME_STATE,
      settings.LOG_ROOT,
      settings.OLLAMA_BIN,
      settings.OLLAMA_MODELS,
    ],
    ['idx', 'rag-data/runtime', 'logs/slurm', 'ollama', 'models'].map((path) => join(process.cwd(), path)),
  );
  assert.equal(from({}).settings.OLLAMA_BIN, 'ollama', 'a bare name is looked up on PATH');
});

test('load() takes a parser by its name, by a path, or as a command that says where input and output go', () => {
  const parserOf = (value: string) => from({ RAG_PARSER: value }).settings.RAG_PARSER;
  assert.equal(parserOf('docling'), 'docling');
  assert.equal(parserOf('./venv/bin/mineru'), join(process.cwd(), 'venv/bin/mineru'));
  assert.equal(
    parserOf('~/my\\ parser.sh -i {input} {output}'),
    `${homedir()}/my\\ parser.sh -i {input} {output}`,
  );
  assert.equal(parserOf('python3 ./x.py {input} -o={output}'), 'python3 ./x.py {input} -o={output}');
  for (const wrong of ['tika', 'docling --to md', 'x {input}', 'x {output}'])
    assert.throws(() => parserOf(wrong), /neither mineru nor docling nor a command/);
});

test('load() has nothing to warn of where nothing is set', () => {
  assert.deepEqual(from({}).warnings, []);
});

test('load() reads a YAML list as several inputs', () => {
  withFile('RAG_INPUT_FILE: [a, b c]\n', (path) =>
    assert.equal(from({}, {}, path).settings.RAG_INPUT_FILE, 'a\nb c'),
  );
});
