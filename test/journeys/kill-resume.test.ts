import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { smallChunks, writeCorpus } from './corpus.ts';
import { runProgram, startProgram, untilGone } from './program.ts';

interface Inspection {
  readonly documents: { readonly processed: number; readonly failed: number; readonly needs_ocr: number };
  readonly chunks: number;
}

let folder: string;
let corpus: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-kill-resume-'));
  corpus = join(folder, 'corpus');
  await writeCorpus(corpus, 60, 60);
});
after(() => rm(folder, { recursive: true }));

const envOf = (index: string): Record<string, string> => ({
  RAG_ENGINE: 'embedded',
  ...smallChunks,
  RAG_SHARED_ROOT: join(folder, 'shared'),
  RAG_WORKING_DIR: join(folder, index),
  LOG_ROOT: join(folder, 'logs'),
  // A killed run cannot remove its scratch folder.
  TMPDIR: folder,
  KILL_RESUME_TEST: `${process.pid}-${index}`,
});
const ingestWords = (): string[] => ['run', '--mode', 'ingest', '--input-file', corpus, '--json'];

async function inspect(index: string): Promise<Inspection> {
  const { code, stdout, stderr } = await runProgram(['index', 'inspect', '--json'], { env: envOf(index) });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Inspection;
}

async function ingest(index: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram(ingestWords(), { env: envOf(index) });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

/** Until one commit is done and the next has begun: the second file of a table's data. */
async function untilSecondCommit(index: string, signal: AbortSignal): Promise<void> {
  const files = new Set<string>();
  for await (const { filename } of watch(index, { recursive: true, signal })) {
    if (filename !== null && /\bdata\b.*\.lance$/.test(filename)) files.add(filename);
    if (files.size > 1) return;
  }
}

test('a supervisor killed in the middle leaves no process, and the same command goes on to the same index', async () => {
  await ingest('undisturbed');

  const index = 'disturbed';
  const env = envOf(index);
  await mkdir(join(folder, index));
  const committed = untilSecondCommit(join(folder, index), AbortSignal.timeout(60_000));
  const program = startProgram(ingestWords(), { env });
  await Promise.race([
    committed,
    program.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`)),
  ]);
  process.kill(program.pid, 'SIGKILL');
  assert.equal((await program.ended).signal, 'SIGKILL');
  await untilGone('KILL_RESUME_TEST', env['KILL_RESUME_TEST'] ?? '', 1000);

  const half = await inspect(index);
  const { processed } = half.documents;
  assert.ok(
    processed > 0 && processed < 60,
    `${processed} of 60 documents were committed when it was killed`,
  );
  await ingest(index);
  const [whole, undisturbed] = [await inspect(index), await inspect('undisturbed')];
  assert.deepEqual(whole.documents, { processed: 60, failed: 0, needs_ocr: 0 });
  assert.deepEqual([whole.documents, whole.chunks], [undisturbed.documents, undisturbed.chunks]);
});
