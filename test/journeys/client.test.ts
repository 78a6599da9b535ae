/** The verbs of a question, done by the supervisor that runs. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkout, type Program, runProgram, startProgram, until, untilGone } from './program.ts';

let folder: string;
let env: Readonly<Record<string, string>>;
let service: Program;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-client-'));
  env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    CLIENT_TEST: folder,
  };
  const words = ['run', '--mode', 'serve', '--input-file', join(checkout, 'examples/corpus')];
  service = startProgram(words, { env: { ...env, RAG_WATCH_SECONDS: '0' } });
  const file = join(folder, 'shared/runtime/ollama_service.json');
  await until('the endpoint file', 60_000, () => (existsSync(file) ? true : undefined));
});
after(async () => {
  await service.ended;
  await rm(folder, { recursive: true });
});

/** Another index: who answers from it has not asked the supervisor. */
const asked = (words: readonly string[]) =>
  runProgram(words, { env: { ...env, RAG_WORKING_DIR: join(folder, 'nothing-here') } });

test('a question is answered by the supervisor, as it comes too, and its filter goes along', async () => {
  const ingested = async (): Promise<true | undefined> =>
    (await asked(['retrieve', 'document', '--json'])).stdout.includes('contents') ? true : undefined;
  await until('documents', 60_000, ingested);
  const plain = await asked(['query', 'How is a document found?', '--json']);
  assert.equal(plain.code, 0, plain.stderr);
  const record = JSON.parse(plain.stdout) as { citations: { file: string }[]; answer: string };
  assert.ok(record.citations.length > 0);
  const streamed = await asked(['query', '--stream', 'How is a document found?']);
  assert.ok(streamed.stdout.startsWith(record.answer.slice(0, 20)), streamed.stdout);
  assert.match(streamed.stdout, /\n\[\d\] /);
  const filtered = await asked(['retrieve', 'document', '--filter', 'document=formats*', '--json']);
  const { result } = JSON.parse(filtered.stdout) as { result: { document: { key: string } }[][] };
  assert.ok(result[0]?.length);
  assert.ok(result[0].every(({ document }) => document.key.startsWith('formats')));
  assert.match((await asked(['retrieve', 'document', '--topk', '1'])).stdout, /^1\. .*\n {3}\S/);
});

test('what the supervisor refuses is told with its code and its mend', async () => {
  const { code, stderr } = await asked(['query', 'why?', '--filter', 'page=x']);
  assert.equal(code, 64, stderr);
});

test('when it is gone the work is done in this process, and that is said', async () => {
  const stopped = await runProgram(['stop'], { env });
  assert.equal(stopped.code, 0, stopped.stderr);
  const { code, stdout, stderr } = await runProgram(['query', 'How is a document found?'], { env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^working in this process: there is no /);
  assert.match(stdout, /\[\d\]/);
  await untilGone('CLIENT_TEST', folder, 2000);
});
