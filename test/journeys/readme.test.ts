/** The README as its readers follow it on one machine: every block marked `bash`, with papers of theirs and no Ollama. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pdfOf } from '../fixtures/documents/pdf.ts';
import { runPage } from '../pages/run.ts';
import { checkout } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-readme-'));
after(() => rmSync(folder, { recursive: true }));

test('README.md: what stands there for one machine answers with file and page', async () => {
  mkdirSync(join(folder, 'papers'));
  symlinkSync(join(checkout, 'bin'), join(folder, 'bin'));
  writeFileSync(
    join(folder, 'papers/trial.pdf'),
    pdfOf(['The trial began in May. The dose was 20 mg daily.']),
  );
  writeFileSync(join(folder, 'questions.jsonl'), '{"id": "1", "query": "Which dose was given daily?"}\n');
  writeFileSync(
    join(folder, 'my_pipeline.py'),
    'import os\nprint("asks", os.environ["RAG_RETRIEVER_URL"])\n',
  );
  const said = await runPage('README.md', { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder } });
  const [text = ''] = said;
  assert.equal(text.match(/20 mg daily \[1\]/g)?.length, 3, text);
  assert.match(text, /trial\.pdf, page 1/);
  assert.match(text, /^asks http:\/\/127\.0\.0\.1:\d+\/retrieve$/m);
  assert.match(text, /^RAG_TOPK=5 /m);
  assert.match(readFileSync(join(folder, 'answers.jsonl'), 'utf8'), /20 mg/);
});
