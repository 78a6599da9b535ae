/** Rerankers of all kinds in the program as users run it, with a child that speaks like the Python one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { checkout, processesMarked, runProgram, startProgram, until, untilGone } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-reranker-'));
after(() => rmSync(folder, { recursive: true }));

const env = {
  RAG_ENGINE: 'embedded',
  RAG_SHARED_ROOT: folder,
  RAG_RUNTIME_STATE: join(folder, 'runtime'),
  LOG_ROOT: join(folder, 'logs'),
  RERANKER_PYTHON: join(checkout, 'test/fixtures/fake-sidecar/python3'),
};
const sidecar = { ...env, RERANKER_MODEL_PATH: folder };

const texts = [
  'The blue whale eats krill and weighs 150 tonnes.',
  'A turbine of the harbour was inspected in 1998.',
  'Krill is eaten by whales, seals and penguins.',
];

before(async () => {
  const rows = texts.map((contents, id) => JSON.stringify({ id: `d${id}`, contents }));
  writeFileSync(join(folder, 'whales.jsonl'), rows.join('\n'));
  const { code, stderr } = await runProgram(['ingest', '--here', join(folder, 'whales.jsonl')], { env });
  assert.equal(code, 0, stderr);
});

interface Answer {
  readonly reranked: boolean;
  readonly retrieved: number;
}

async function ask(
  question: string,
  given: Readonly<Record<string, string>>,
): Promise<Answer & { stderr: string }> {
  const mark = `${process.pid}-${question}`;
  const { code, stdout, stderr } = await runProgram(['query', '--here', '--json', question], {
    env: { ...given, RERANKER_TEST: mark },
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(processesMarked('RERANKER_TEST', mark), []);
  return { ...(JSON.parse(stdout) as Answer), stderr };
}

test('a question is reranked by the model folder of RERANKER_MODEL_PATH', async () => {
  const { reranked, stderr } = await ask('What does the blue whale eat?', sidecar);
  assert.equal(reranked, true);
  assert.match(stderr, /reranker is ready/);
});

test('a question whose reranker is killed in the middle is answered from the order of retrieval', async () => {
  const mark = `${process.pid}-killed`;
  const record = join(folder, 'record');
  const { ended } = startProgram(['query', '--here', '--json', 'What eats krill? [hang]'], {
    env: { ...sidecar, RERANKER_TEST: mark, FAKE_SIDECAR_RECORD: record },
  });
  await until('the request in the hands of the child', 20_000, () =>
    existsSync(record) && readFileSync(record, 'utf8').includes('hangs') ? true : undefined,
  );
  // Its keepers have its command line behind their own.
  const child = processesMarked('RERANKER_TEST', mark).find(({ command }) =>
    /^\S*python3 \S*fake-sidecar/u.test(command),
  );
  process.kill(child?.pid ?? assert.fail('there is no child'), 'SIGKILL');
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  const { reranked, retrieved } = JSON.parse(stdout) as Answer;
  assert.deepEqual([reranked, retrieved], [false, 3]);
  assert.match(stderr, /answers are not reranked/);
  await untilGone('RERANKER_TEST', mark, 5_000);
});

test('a model folder that is not there ends the program before anything starts', async () => {
  const given = { ...sidecar, RERANKER_MODEL_PATH: join(folder, 'nowhere') };
  const { code, stderr } = await runProgram(['query', '--here', 'What eats krill?'], { env: given });
  assert.equal(code, 78);
  assert.match(stderr, /Cannot read the reranker .*nowhere: no such folder/);
  assert.doesNotMatch(stderr, /is ready/);
});

test('a question is reranked by the server at RERANKER_URL, which is asked with the key', async () => {
  const keys = new Set<string | undefined>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    keys.add(request.headers.authorization);
    const { documents } = (await json(request)) as { documents: string[] };
    const results = documents.map((text, index) => ({
      index,
      relevance_score: text.includes('1998') ? 9 : -3,
    }));
    response.end(JSON.stringify({ results }));
  };
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  writeFileSync(join(folder, 'key'), 'a-key\n', { mode: 0o600 });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const given = { ...env, RERANKER_URL: url, RERANKER_KEY_FILE: join(folder, 'key') };
    assert.equal((await ask('What eats krill?', given)).reranked, true);
    assert.deepEqual([...keys], ['Bearer a-key']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a service tells in its status what its reranker runs on', async () => {
  const serving = startProgram(['run', '--mode', 'serve'], { env: sidecar });
  try {
    const services = await until('the reranker in the status', 30_000, async () => {
      const { code, stdout } = await runProgram(['status', '--json'], { env: sidecar });
      const { services: all } = (code === 0 ? JSON.parse(stdout) : { services: [] }) as Status;
      return all.some(({ id, device }) => id === 'reranker' && device !== null) ? all : undefined;
    });
    assert.partialDeepStrictEqual(services.find(({ id }) => id === 'reranker')?.device, {
      device: 'cpu',
      dtype: 'float32',
      memory_bytes: 2 ** 30,
    });
    const { stdout } = await runProgram(['status'], { env: sidecar });
    assert.match(stdout, /^reranker +ready .*\n {4}cpu, float32, 1\.0 GiB$/m);
  } finally {
    process.kill(serving.pid, 'SIGTERM');
    await serving.ended;
  }
});

interface Status {
  readonly services: readonly { readonly id: string; readonly device: object | null }[];
}

test('an evaluation measures the reranked stage with it', async () => {
  const collection = join(folder, 'beir');
  mkdirSync(join(collection, 'qrels'), { recursive: true });
  const jsonl = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  writeFileSync(join(collection, 'corpus.jsonl'), jsonl(texts.map((text, n) => ({ _id: `d${n}`, text }))));
  writeFileSync(join(collection, 'queries.jsonl'), jsonl([{ _id: 'q', text: 'blue whale krill' }]));
  writeFileSync(join(collection, 'qrels/test.tsv'), 'query-id\tcorpus-id\tscore\nq\td0\t1\n');
  const { code, stdout, stderr } = await runProgram(['eval', collection], { env: sidecar, cwd: folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^reranked +1\.0/m);
});
