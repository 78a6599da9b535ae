import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeCorpus } from './corpus.ts';
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
  await writeCorpus(corpus, 60, 12);
});
after(() => rm(folder, { recursive: true }));

const envOf = (index: string): Record<string, string> => ({
  RAG_ENGINE: 'embedded',
  RAG_SHARED_ROOT: join(folder, 'shared'),
  RAG_WORKING_DIR: join(folder, index),
  LOG_ROOT: join(folder, 'logs'),
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

/** Until something is committed: the first file of a table's data. */
async function untilDataIn(index: string, signal: AbortSignal): Promise<string> {
  for await (const { filename } of watch(index, { recursive: true, signal })) {
    if (filename?.endsWith('.lance') === true && filename.includes('data')) return filename;
  }
  throw new Error('nothing was ever committed');
}

test('a supervisor killed in the middle leaves no process, and the same command goes on to the same index', async () => {
  await ingest('undisturbed');

  const index = 'disturbed';
  const env = envOf(index);
  await mkdir(join(folder, index));
  const committed = untilDataIn(join(folder, index), AbortSignal.timeout(60_000));
  const program = startProgram(ingestWords(), { env });
  await Promise.race([
    committed,
    program.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`)),
  ]);
  process.kill(program.pid, 'SIGKILL');
  assert.equal((await program.ended).signal, 'SIGKILL');
  await untilGone('KILL_RESUME_TEST', env['KILL_RESUME_TEST'] ?? '', 1000);

  const half = await inspect(index);
  assert.ok(half.documents.processed < 60, 'it was killed before the last document');
  await ingest(index);
  const [whole, undisturbed] = [await inspect(index), await inspect('undisturbed')];
  assert.deepEqual(whole.documents, { processed: 60, failed: 0, needs_ocr: 0 });
  assert.deepEqual([whole.documents, whole.chunks], [undisturbed.documents, undisturbed.chunks]);
});
