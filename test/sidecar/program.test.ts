/** The whole program with real torch: MedCPT makes the vectors and a decoder reranks, both tiny and random. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from '../journeys/program.ts';
import { python, runPython, withoutTorch } from './sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-torch-'));
after(() => rmSync(folder, { recursive: true }));

const make = `
import sys; sys.path.insert(0, ${JSON.stringify(import.meta.dirname)})
import tiny_models as tiny
tiny.gemma("gemma"); tiny.bert("ncbi/MedCPT-Query-Encoder"); tiny.bert("ncbi/MedCPT-Article-Encoder")`;

test(
  'documents are encoded and a question is reranked by models in Python',
  { skip: withoutTorch },
  async () => {
    const made = await runPython(['-c', `import os; os.chdir(${JSON.stringify(folder)})${make}`]);
    assert.equal(made.status, 0, made.stderr);
    const env = {
      RAG_ENGINE: 'embedded',
      RAG_SHARED_ROOT: folder,
      RAG_RUNTIME_STATE: join(folder, 'runtime'),
      LOG_ROOT: join(folder, 'logs'),
      RAG_RETRIEVER: `medcpt=${folder}`,
      RERANKER_MODEL_PATH: join(folder, 'gemma'),
      RERANKER_PYTHON: python,
    };
    const texts = [
      'The blue whale eats krill.',
      'Krill is eaten by seals.',
      'A turbine was inspected in 1998.',
    ];
    const rows = texts.map((contents, id) => JSON.stringify({ id: `d${id}`, contents }));
    writeFileSync(join(folder, 'whales.jsonl'), rows.join('\n'));
    const ingested = await runProgram(['ingest', '--here', join(folder, 'whales.jsonl')], { env });
    assert.equal(ingested.code, 0, ingested.stderr);
    const answered = await runProgram(['query', '--here', '--json', 'What does the blue whale eat?'], {
      env,
    });
    assert.equal(answered.code, 0, answered.stderr);
    const { reranked, retrieved } = JSON.parse(answered.stdout) as { reranked: boolean; retrieved: number };
    assert.deepEqual([reranked, retrieved], [true, 3], answered.stderr);
  },
);
