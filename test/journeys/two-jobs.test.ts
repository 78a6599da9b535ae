/** The two-job way: one job serves, others use it, and say so when it is gone. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  checkout,
  type Program,
  processesMarked,
  runProgram,
  startProgram,
  until,
  untilGone,
} from './program.ts';

let folder: string;
let service: Program;
let published: string;
let common: Readonly<Record<string, string>>;
let worker: Readonly<Record<string, string>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-two-jobs-'));
  common = {
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    TWO_JOBS: folder,
  };
  worker = {
    ...common,
    OLLAMA_HOST: 'published',
    OLLAMA_EMBED_MODEL: 'embedded-hashing',
    OLLAMA_GENERATE_MODEL: 'embedded-extractive',
    RAG_WORKING_DIR: join(folder, 'index'),
  };
  published = join(folder, 'shared/runtime/ollama_service.json');
  const env = { ...common, RAG_ENGINE: 'embedded', RAG_BIND: 'node', RAG_SERVICES: 'embed,generate' };
  service = startProgram(['run', '--mode', 'serve'], { env });
  await until('the endpoint file', 30_000, () => (existsSync(published) ? true : undefined));
});
after(async () => {
  await service.ended;
  await rm(folder, { recursive: true });
});

const corpus = join(checkout, 'examples/corpus');

test('a worker ingests and answers with the models of another job', async () => {
  const ingest = await runProgram(['run', '--mode', 'ingest', '--input-file', corpus, '--json'], {
    env: worker,
  });
  assert.equal(ingest.code, 0, ingest.stderr);
  const { documents } = JSON.parse(ingest.stdout) as { documents: { processed: number } };
  assert.ok(documents.processed > 3);
  const asked = ['run', '--mode', 'query', '--query', 'How is a document found?', '--json'];
  const query = await runProgram(asked, { env: worker });
  assert.equal(query.code, 0, query.stderr);
  const record = JSON.parse(query.stdout.split('\n')[0] ?? '') as { model: string; answer: string };
  assert.equal(record.model, 'embedded-extractive');
  assert.match(record.answer, /\[\d\]/);
});

test('a command that works in its own process uses them, too', async () => {
  const asked = ['retrieve', '--here', 'How is a document found?', '--json'];
  const { code, stdout, stderr } = await runProgram(asked, { env: worker });
  assert.equal(code, 0, stderr);
  const { result } = JSON.parse(stdout) as { result: unknown[][] };
  assert.ok((result[0]?.length ?? 0) > 0);
});

test('any command beside the worker reaches the models at OLLAMA_HOST, without a token of its own', async () => {
  const script =
    'curl -sS "$OLLAMA_HOST/api/tags" || python3 -c "import os, urllib.request as u; print(u.urlopen(os.environ[\'OLLAMA_HOST\'] + \'/api/tags\').read().decode())"';
  const { code, stdout, stderr } = await runProgram(['run', '--', 'sh', '-c', script], { env: worker });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /embedded-extractive/);
  assert.doesNotMatch(
    stdout + stderr,
    new RegExp((await readFile(tokenFile(await readFile(published, 'utf8')), 'utf8')).trim()),
  );
});

const tokenFile = (text: string): string => (JSON.parse(text) as { token_file: string }).token_file;

test('a shell gets the service as exports, with which a client without headers is let in', async () => {
  const { code, stdout } = await runProgram(['status', '--env', '--wait', '5'], { env: common });
  assert.equal(code, 0);
  const url = /^export RAG_RETRIEVER_URL='(.*)'$/m.exec(stdout)?.[1] ?? '';
  assert.match(url, /\/t\/[\w-]{43}\/retrieve$/);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queries: [] }),
  });
  assert.deepEqual(await answer.json(), { result: [] });
});

test('a file that leads to another program is found out before it is shown a token', async () => {
  const heard: (string | undefined)[] = [];
  const impostor = createServer((request, response) => {
    heard.push(request.headers.authorization, request.url);
    response.setHeader('content-type', 'application/json').end('{"proof":"trust me","models":[]}');
  });
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
  const { port } = impostor.address() as { port: number };
  const runtime = join(folder, 'false');
  const text = await readFile(published, 'utf8');
  await mkdir(runtime, { recursive: true });
  await writeFile(
    join(runtime, 'ollama_service.json'),
    JSON.stringify({ ...JSON.parse(text), url: `http://127.0.0.1:${port}` }),
  );
  const { code, stderr } = await runProgram(['run', '--mode', 'ingest', '--input-file', corpus], {
    env: { ...worker, RAG_RUNTIME_STATE: runtime },
  });
  impostor.close();
  assert.equal(code, 78, stderr);
  assert.match(stderr, /what answers at .* is not job/);
  assert.deepEqual(
    heard.filter((each) => each?.startsWith('Bearer')),
    [],
  );
});

test('a worker without a live service ends at once and says what to do', async () => {
  const server = processesMarked('TWO_JOBS', folder).find(({ command }) => command.includes('--mode serve'));
  process.kill(server?.pid ?? 0, 'SIGKILL');
  await service.ended;
  const { code, stderr } = await runProgram(['run', '--', 'true'], { env: worker });
  assert.equal(code, 78);
  assert.match(stderr, /does not answer at .*\n.*sbatch .*sbatch\/ollama_service\.sbatch/);
  const never = await runProgram(['run', '--', 'true'], {
    env: { ...worker, RAG_RUNTIME_STATE: join(folder, 'empty') },
  });
  assert.equal(never.code, 78);
  assert.match(never.stderr, /there is no .*ollama_service\.json/);
  await untilGone('TWO_JOBS', folder, 2000);
});
