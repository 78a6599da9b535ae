/** docs/clients.md as its readers follow it: every block marked `bash` is run, against a service of the real program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { runPage } from '../pages/run.ts';
import { checkout, startProgram, until } from './program.ts';

const home = mkdtempSync(join(tmpdir(), 'rag-page-'));
after(() => rmSync(home, { recursive: true }));

const lacks = ['python3', 'curl'].find((program) => spawnSync(program, ['--version']).error !== undefined);

function write(path: string, rows: readonly object[]): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), rows.map((row) => JSON.stringify(row)).join('\n'));
}

const diabetes = { id: 'article-1_0', title: 'Diabetes', content: 'Metformin lowers glucose in diabetes.' };
const row = { id: 0, contents: '"Femur"\nThe femur is a bone.' };

interface Retrieved {
  readonly result: { readonly document: { readonly id: string; readonly contents: string } }[][];
}

test(
  'the page for users of Search-R1, MedRAG and FlashRAG does what it says',
  {
    skip: lacks === undefined ? false : `no ${lacks} here`,
  },
  async () => {
    write('MedRAG/corpus/statpearls/chunk/article-1.jsonl', [diabetes]);
    write('MedRAG/corpus/textbooks/chunk/Anatomy_Gray.jsonl', [
      { ...diabetes, id: 'Anatomy_Gray_0', content: 'Bones.' },
    ]);
    write('retrieval-corpus/wiki18_100w.jsonl', [row]);
    const env = {
      HOME: home,
      TMPDIR: home,
      RAG_ENGINE: 'embedded',
      RAG_SHARED_ROOT: home,
      RAG_RUNTIME_STATE: join(home, 'runtime'),
      LOG_ROOT: join(home, 'logs'),
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const serving = startProgram(['run', '--mode', 'serve'], { env });
    const early = serving.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
    early.catch(() => {});
    const service = join(env.RAG_RUNTIME_STATE, 'ollama_service.json');
    try {
      await Promise.race([early, until('the service', 40_000, () => read(service))]);
      const said = await runPage('docs/clients.md', {
        cwd: checkout,
        env: { PATH: process.env['PATH'], ...env },
        last: 'eval "$(node dist/supervisor.js status --env)"; curl -s $RAG_URL/status',
      });
      assertOutput(said);
    } finally {
      process.kill(serving.pid, 'SIGTERM');
      await serving.ended;
    }
  },
);

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const best = (json: string): string | undefined =>
  (JSON.parse(json) as Retrieved).result[0]?.[0]?.document.id;

function assertOutput([
  ingested = '',
  overHttp = '',
  inPython = '',
  others = '',
  status = '',
]: string[]): void {
  assert.equal(best(ingested.trim().split('\n').at(-1) ?? ''), 'article-1_0');
  assert.equal(best(overHttp), 'article-1_0');
  assert.equal(inPython.match(/["']id["']: ["']article-1_0/g)?.length, 2, inPython);
  assert.match(others, /^article-1_0 Diabetes\n"Femur"\nThe femur is a bone\.$/m);
  const { retrieval } = JSON.parse(status) as { retrieval: { queries: number; cached: number } };
  assert.deepEqual([retrieval.queries, retrieval.cached], [6, 4]);
}
