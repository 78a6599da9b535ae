/** The programs that our users come with, against the real endpoint: their own logic reads what it answers. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../until.ts';
import { hit, open } from './open.ts';

const top = join(import.meta.dirname, '../..');
const script = join(top, 'scripts/local_medrag_retriever.py');
const skip = spawnSync('python3', ['--version']).error === undefined ? false : 'no python3 here';

const states = mkdtempSync(join(tmpdir(), 'rag-clients-'));
after(() => rmSync(states, { recursive: true }));

/** A folder of state files, as supervisors write them. */
function stateFolder(files: Readonly<Record<string, object>>): string {
  const folder = mkdtempSync(join(states, 'runtime-'));
  mkdirSync(join(folder, 'supervisors'));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}

const stateOf = (socket: string, more: object = {}): object => ({
  job: '17',
  phase: 'answering',
  endpoint: { url: 'http://127.0.0.1:9', socket },
  ...more,
});

async function python(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)('python3', [...words], {
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...env },
    cwd: states,
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

const lines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

const passage = (name: string): string => `(Title: "Title of ${name}") Text of ${name}\nin two lines`;
const observation = (name: string): string =>
  `\n\n<information>Doc 1${passage(name)}\nDoc 2${passage('other')}</information>\n\n`;

for (const way of ['local', 'http'])
  test(`Search-R1 trains with its changed method, retriever.local=${way === 'local'}`, { skip }, async () => {
    await using endpoint = await open();
    const folder = stateFolder({ 'supervisors/17.node.json': stateOf(endpoint.socketPath) });
    const said = await python(
      [join(import.meta.dirname, 'clients/search_r1.py'), way, `${endpoint.url}/retrieve`, 'b', 'a', 'b'],
      { RAG_RUNTIME_STATE: folder },
    );
    assert.deepEqual(lines(said), [['b', 'a', 'b'].map(observation)]);
  });

test('Search-R1 may ask for nothing', { skip }, async () => {
  await using endpoint = await open();
  const client = join(import.meta.dirname, 'clients/search_r1.py');
  assert.deepEqual(lines(await python([client, 'http', `${endpoint.url}/retrieve`], {})), [[]]);
});

test('callers in the shapes of Search-R1, MedRAG and FlashRAG get theirs', { skip }, async () => {
  await using endpoint = await open();
  const said = await python([join(import.meta.dirname, 'clients/shapes.py')], { RAG_URL: endpoint.url });
  const [both, bare, many, medrag, ids, flashrag] = lines(said) as unknown[][];
  const [result, list, ...rest] = both ?? [];
  assert.deepEqual((result as { result: unknown }).result, list);
  assert.deepEqual(rest, [2, true, [0.5, 0.5]]);
  assert.deepEqual(bare, [{ result: [] }, 'a.pdf']);
  assert.deepEqual(many, [true], '5,000 queries go in two requests and come back in order');
  const passages = [
    { id: 'a.pdf', title: 'Title of a', content: 'Text of a\nin two lines' },
    { id: 'other.pdf', title: 'Title of other', content: 'Text of other\nin two lines' },
  ];
  assert.deepEqual(medrag, [passages, [0.5, 0.5]]);
  assert.deepEqual(ids, [passages.map(({ id }) => ({ id }))]);
  assert.deepEqual(flashrag, ['"Title of a"', 'Text of a\nin two lines', [[0.5], [0.5]], 2, 2]);
});

test('the retriever finds the live supervisor of its own job among the state files', { skip }, async () => {
  const named = (job: string): Parameters<typeof open>[0] => ({
    work: {
      retrieve: ({ queries }) => Promise.resolve(queries.map(() => [hit(job)])),
      query: () => Promise.reject(new Error('not asked for')),
    },
  });
  await using ours = await open(named('ours'));
  await using another = await open(named('another'));
  const folder = stateFolder({
    'supervisors/17_3.node.json': stateOf(ours.socketPath, { job: '17_3' }),
    'supervisors/18.node.json': stateOf(another.socketPath, { job: '18' }),
    'supervisors/19.node.json': stateOf('/nowhere/rag.sock', { job: '19' }),
    'supervisors/20.node.json': stateOf(join(dirname(another.socketPath), 'dead.sock'), { job: '20' }),
    'supervisors/21.node.json': { torn: true },
  });
  for (const [job, found] of [
    ['17', 'ours.pdf'],
    ['18', 'another.pdf'],
  ] as const) {
    const said = await python([script, 'q'], { RAG_RUNTIME_STATE: folder, SLURM_JOB_ID: job });
    const { result } = JSON.parse(said) as { result: { document: { id: string } }[][] };
    assert.equal(result[0]?.[0]?.document.id, found);
  }
});

test(
  'the retriever takes the published file where there is no socket, and only on its own node',
  { skip },
  async () => {
    await using endpoint = await open();
    const service = { host: '127.0.0.1', port: endpoint.port, job_id: '17' };
    const here = stateFolder({ 'ollama_service.json': service });
    assert.match(await python([script, 'a'], { RAG_RUNTIME_STATE: here }), /a\.pdf/);
    const elsewhere = stateFolder({ 'ollama_service.json': { ...service, node: 'another-node' } });
    await assert.rejects(
      python([script, 'a'], { RAG_RUNTIME_STATE: elsewhere }),
      /no live supervisor of this node/,
    );
  },
);

test('a socket in a folder that others may enter is not trusted', { skip }, async () => {
  await using endpoint = await open();
  const folder = stateFolder({ 'supervisors/17.node.json': stateOf(endpoint.socketPath) });
  chmodSync(dirname(endpoint.socketPath), 0o755);
  await assert.rejects(
    python([script, 'a'], { RAG_RUNTIME_STATE: folder }),
    /no live supervisor of this node/,
  );
});

test('the retriever waits for a supervisor that is started again', { skip }, async () => {
  const folder = stateFolder({});
  const waits = join(folder, 'waits');
  const code = `
import local_medrag_retriever as module, os
sleep = module.time.sleep
def told(seconds):
    os.makedirs(${JSON.stringify(waits)}, exist_ok=True)
    sleep(seconds)
module.time.sleep = told
print(len(module.get_retriever(wait_s=60).retrieve(["a"])))`;
  const waiting = python(['-c', code], { RAG_RUNTIME_STATE: folder, PYTHONPATH: dirname(script) });
  await until(() => existsSync(waits), 'the retriever to wait');
  await using endpoint = await open();
  writeFileSync(join(folder, 'supervisors/17.node.json'), JSON.stringify(stateOf(endpoint.socketPath)));
  assert.equal((await waiting).trim(), '1');
});

test(
  "a retriever's name that is not the supervisor's is told once, and its ranking is used",
  { skip },
  async () => {
    const ask = async (names: readonly (string | null)[], inForce: string): Promise<string> => {
      await using endpoint = await open({ state: () => ({ retriever: inForce }) });
      const code = `
import json, sys
from local_medrag_retriever import RetrievalSystem, get_retriever
sys.stderr = sys.stdout
for name in json.loads(sys.argv[1]):
    assert len(get_retriever(retriever_name=name).retrieve(["a"])["result"][0]) == 2
    assert len(RetrievalSystem(name).retrieve("a")[0]) == 2`;
      const env = { RAG_RETRIEVER_URL: `${endpoint.url}/retrieve`, PYTHONPATH: dirname(script) };
      return await python(['-c', code, JSON.stringify(names)], env);
    };
    const told = await ask(['MedCPT', 'BM25', null], 'bm25');
    assert.match(told, /^local_medrag_retriever: MedCPT was asked for, the supervisor retrieves by bm25/);
    assert.equal(told.trim().split('\n').length, 1);
    assert.equal(await ask(['RRF-4', 'rrf4'], 'rrf4=/models'), '');
    assert.equal(await ask(['/models/E5', null], '/models/E5'), '');
  },
);

test('the retriever runs under the Python 3.6 of RHEL 8 with nothing installed', { skip }, async () => {
  const check = [
    'import ast, sys',
    'for path in sys.argv[1:]:',
    '    old = {"feature_version": (3, 6)} if sys.version_info >= (3, 8) else {}',
    '    tree = ast.parse(open(path).read(), **old)',
    '    names = [n.name.split(".")[0] for x in ast.walk(tree) if isinstance(x, ast.Import) for n in x.names]',
    '    print(*sorted(set(names)))',
  ].join('\n');
  const change = join(top, 'examples/search_r1_batch_search.py');
  const imports = (await python(['-I', '-c', check, script, change], {})).trim().split('\n');
  assert.deepEqual(imports, ['http json os socket stat sys time', 'requests']);
});
