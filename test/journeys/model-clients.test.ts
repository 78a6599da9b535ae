/** Programs that know Ollama or OpenAI's API, beside a running supervisor; and where its tokens are to be seen. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import {
  checkout,
  processesMarked,
  type Program,
  runProgram,
  startProgram,
  until,
  untilGone,
} from './program.ts';

interface Service {
  readonly url: string;
  readonly token_file: string;
  readonly url_token_file: string;
}

let folder: string;
let env: Readonly<Record<string, string>>;
let program: Program;
let service: Service;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-models-'));
  env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    MODELS_TEST: folder,
  };
  const words = ['run', '--mode', 'serve', '--input-file', join(checkout, 'examples/corpus/README.md')];
  program = startProgram(words, { env: { ...env, RAG_WATCH_SECONDS: '0' } });
  const file = join(folder, 'shared/runtime/ollama_service.json');
  await until('the endpoint file', 60_000, () => (existsSync(file) ? true : undefined));
  service = JSON.parse(await readFile(file, 'utf8')) as Service;
});
after(async () => {
  await program.ended;
  await rm(folder, { recursive: true });
});

const hello = [{ role: 'user' as const, content: 'Hello' }];

test('npm ollama and npm openai list, embed and chat, and are refused pull', async () => {
  const ollama = new Ollama({ host: service.url });
  const names = (await ollama.list()).models.map(({ name }) => name).sort();
  assert.deepEqual(names, ['embedded-extractive', 'embedded-hashing']);
  const { embeddings } = await ollama.embed({ model: 'embedded-hashing', input: ['one', 'two'] });
  assert.equal(embeddings.length, 2);
  const { message } = await ollama.chat({ model: 'embedded-extractive', messages: hello });
  assert.ok(message.content.length > 0);
  await assert.rejects(
    ollama.pull({ model: 'llama3' }),
    /^ResponseError: Cannot pull: a running job does not change its models/,
  );

  const key = (await readFile(service.token_file, 'utf8')).trim();
  const openai = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: key });
  const stream = openai.chat.completions.stream({ model: 'embedded-extractive', messages: hello });
  assert.equal(await stream.finalContent(), message.content);
  const { data } = await openai.embeddings.create({ model: 'embedded-hashing', input: 'one' });
  assert.equal(data[0]?.embedding.length, embeddings[0]?.length);
});

test('/rerank orders documents by the reranker of the job, and says which that is', async () => {
  const urlToken = (await readFile(service.url_token_file, 'utf8')).trim();
  const documents = ['Trains leave at ten.', 'A dead service is restarted.'];
  const answer = await fetch(`${service.url}/t/${urlToken}/v1/rerank`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'What is restarted?', documents, top_n: 1 }),
  });
  const { results, model } = (await answer.json()) as { results: { index: number }[]; model: string };
  assert.deepEqual([results.map(({ index }) => index), model], [[1], 'lexical']);
});

const lacks = ['python3', 'curl'].find((name) => spawnSync(name, ['--version']).error !== undefined);

test(
  'the page about models does what it says',
  { skip: lacks === undefined ? false : `no ${lacks} here` },
  async () => {
    const page = readFileSync(join(checkout, 'docs/models.md'), 'utf8');
    const blocks = [...page.matchAll(/^```bash\n(.*?)^```/gms)].map(([, block = '']) => block);
    const commands = blocks.join('').replaceAll(/^curl/gm, 'echo; curl');
    const { stdout } = await promisify(execFile)('bash', ['-euc', commands], {
      env: {
        PATH: `${join(checkout, 'bin')}:${process.env['PATH']}`,
        RAG_RUNTIME_STATE: join(folder, 'shared/runtime'),
      },
    });
    const [tags, chat, embeddings, ranking] = stdout.trim().split('\n');
    assert.match(tags ?? '', /"name":"embedded-extractive"/);
    assert.match(chat ?? '', /"role":"assistant","content":"[^"]/);
    assert.match(embeddings ?? '', /"index":1,"embedding":\[/);
    assert.match(ranking ?? '', /"results":\[\{"index":0,/);
  },
);

test('the tokens stand in their two files, and in no argument, log, state or address', async () => {
  const tokens = [service.token_file, service.url_token_file].map((file) =>
    readFileSync(file, 'utf8').trim(),
  );
  await fetch(`${service.url}/t/${tokens[1]}/none`);
  await fetch(`${service.url}//t/${tokens[1]}/status`);
  await fetch(`${service.url}/status`, {
    headers: { authorization: `Bearer ${tokens[0]}`, origin: 'https://example.org' },
  });
  const processes = processesMarked('MODELS_TEST', folder);
  assert.ok(processes.length > 3);
  for (const { command, env: given } of processes)
    for (const token of tokens)
      assert.ok(!command.includes(token) && !JSON.stringify(given).includes(token), command);
  const stopped = await runProgram(['stop'], { env });
  assert.equal(stopped.code, 0, stopped.stderr);
  const { stdout, stderr } = await program.ended;
  const files = globSync('**/*', { cwd: folder })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  assert.ok(files.some((path) => path.endsWith('supervisor.jsonl')));
  const written = files.map((path) => readFileSync(path, 'latin1'));
  for (const text of [stdout, stderr, ...written])
    for (const token of tokens) assert.ok(!text.includes(token), text.slice(0, 200));
  await untilGone('MODELS_TEST', folder, 2000);
});
