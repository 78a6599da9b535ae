import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

const sbatch = join(import.meta.dirname, '../../sbatch');
const findNode = join(import.meta.dirname, '../../scripts/find-node.sh');

/** Each as its words come to the supervisor. */
const scripts: Readonly<Record<string, readonly string[]>> = {
  rag_allinone: ['run'],
  rag_array: ['run', '--mode', 'ingest'],
  rag_multinode: ['run'],
  rag_workload: ['run'],
  searchr1: ['run', '--'],
  ollama_service: ['run', '--mode', 'serve'],
  rag_worker: ['run'],
  rag_retriever_node: ['run', '--'],
};

/** A checkout (its path has a space) whose supervisor only says how it was started. */
let folder: string;
let home: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-batch-'));
  home = join(folder, 'my checkout');
  await mkdir(join(home, 'dist'), { recursive: true });
  await cp(sbatch, join(home, 'sbatch'), { recursive: true });
  await cp(findNode, join(home, 'scripts/find-node.sh'));
  await writeFile(
    join(home, 'dist/supervisor.js'),
    `const { env, pid, argv } = process;
     const ended = setTimeout(() => {}, 30_000);
     process.on('SIGUSR2', () => { console.log('warned'); clearTimeout(ended); });
     console.log(JSON.stringify({ env, pid, words: argv.slice(2), node: argv[0], umask: process.umask() }));
     if (!env.STAY) clearTimeout(ended);`,
  );
});
after(() => rm(folder, { recursive: true }));

interface Said {
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly words: readonly string[];
  readonly node: string;
  readonly umask: number;
}

function start(
  env: Readonly<Record<string, string | undefined>>,
  words: readonly string[] = [],
  script = 'rag_allinone',
) {
  const child = spawn('bash', [join(sbatch, `${script}.sbatch`), ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, RAG_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return child;
}

async function run(
  env: Readonly<Record<string, string | undefined>>,
  words: readonly string[] = [],
  script?: string,
) {
  const child = start(env, words, script);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { pid: child.pid, code: code as number, stdout, stderr };
}
const said = (stdout: string): Said => JSON.parse(stdout) as Said;

for (const [script, own] of Object.entries(scripts)) {
  test(`${script}: the supervisor takes the place of the batch script and gets its words`, async () => {
    const { pid, code, stdout, stderr } = await run({}, ['--input-file', 'a b'], script);
    assert.equal(code, 0, stderr);
    assert.equal(said(stdout).pid, pid);
    assert.deepEqual(said(stdout).words, [...own, '--input-file', 'a b']);
    assert.equal(said(stdout).umask, 0o077);
    assert.equal(said(stdout).env['SLURM_EXPORT_ENV'], 'ALL');
  });

  test(`${script}: a wall-time warning does not kill it before the supervisor stands`, async () => {
    const setup = join(folder, `${script}.warned.sh`);
    await writeFile(setup, 'kill -USR2 $$');
    const { code, stderr } = await run({ RAG_SETUP_SCRIPT: setup }, ['true'], script);
    assert.equal(code, 0, stderr);
  });

  test(`${script}: the checkout is found where the job was submitted, else it is said`, async () => {
    const { stdout } = await run({ RAG_HOME: undefined, SLURM_SUBMIT_DIR: home }, ['x'], script);
    assert.deepEqual(said(stdout).words, [...own, 'x']);
    const lost = await run({ RAG_HOME: '/nowhere' }, ['x'], script);
    assert.equal(lost.code, 78);
    assert.match(lost.stderr, /export RAG_HOME=/);
  });
}

test('a copy in the spool folder finds the checkout in the folder that --chdir names', async () => {
  const copy = join(folder, 'slurm_script');
  await cp(join(sbatch, 'rag_allinone.sbatch'), copy);
  const child = spawn('bash', [copy], {
    cwd: home,
    env: { PATH: process.env['PATH'], SLURM_SUBMIT_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.deepEqual(said(await text(child.stdout)).words, ['run']);
});

test('where HOME is empty, as --export=NONE may leave it, it is the one that the system knows', async () => {
  for (const HOME of ['', undefined])
    assert.equal(said((await run({ HOME })).stdout).env['HOME'], userInfo().homedir);
});

test('a training without a command is refused before it gets a GPU', async () => {
  const { code, stderr } = await run({}, [], 'searchr1');
  assert.deepEqual([code, stderr.includes('train_ppo.sh')], [78, true]);
});

test('a service for other jobs listens on the network of the cluster, a worker looks for it', async () => {
  const { env } = said((await run({}, [], 'ollama_service')).stdout);
  assert.deepEqual([env['RAG_BIND'], env['RAG_SERVICES']], ['node', 'embed,generate']);
  assert.equal(said((await run({}, [], 'rag_worker')).stdout).env['OLLAMA_HOST'], 'published');
  const named = await run({ OLLAMA_HOST: 'node9:11434' }, [], 'rag_worker');
  assert.equal(said(named.stdout).env['OLLAMA_HOST'], 'node9:11434');
});

test('the old names of the two jobs lead to them', async () => {
  const old = async (name: string, words: readonly string[]): Promise<Said> => {
    const child = spawn('bash', [join(home, 'scripts/slurm', name), ...words], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, RAG_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return said(await text(child.stdout));
  };
  await cp(join(sbatch, '../scripts/slurm'), join(home, 'scripts/slurm'), { recursive: true });
  assert.deepEqual((await old('ollama_gpu_job.sh', [])).words, ['run', '--mode', 'serve']);
  assert.deepEqual((await old('rag_worker_job.sh', [])).words, ['run', '--mode', 'ingest']);
  assert.deepEqual((await old('rag_worker_job.sh', ['--', 'true'])).words, ['run', '--', 'true']);
});

test('steps get the CPUs that the job asked for, and those of their own component where Slurm names none', async () => {
  const cpus = async (given: string | undefined) =>
    said((await run({ SLURM_CPUS_PER_TASK: given })).stdout).env['SRUN_CPUS_PER_TASK'];
  assert.deepEqual([await cpus('8'), await cpus(undefined)], ['8', undefined]);
});

test('output goes to the folder of the submission: sbatch makes no folder, and without one nothing is written', async () => {
  for (const script of globSync(['sbatch/*.sbatch', 'scripts/slurm/*.sh'], { cwd: join(sbatch, '..') })) {
    const text = await readFile(join(sbatch, '..', script), 'utf8');
    assert.match(text, /^#SBATCH --output=[^/]+$/m, script);
  }
});

test('a retriever beside a training needs no generator, unless it is asked for', async () => {
  assert.equal(said((await run({}, ['x'], 'searchr1')).stdout).env['RAG_SERVICES'], 'embed');
  const asked = await run({ RAG_SERVICES: 'embed,rerank' }, ['x'], 'searchr1');
  assert.equal(said(asked.stdout).env['RAG_SERVICES'], 'embed,rerank');
});

test('a wall-time warning reaches the supervisor, and does not kill the script before it', async () => {
  const setup = join(folder, 'warned.sh');
  await writeFile(setup, 'kill -USR2 $$');
  const child = start({ RAG_SETUP_SCRIPT: setup, STAY: '1' });
  const output = text(child.stdout);
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  assert.equal(child.signalCode, null);
  child.kill('SIGUSR2');
  assert.match(await output, /\nwarned\n$/);
});

test('a setup script neither sees nor changes the words of the job, and a step that submitted it is forgotten', async () => {
  const setup = join(folder, 'takes-words.sh');
  await writeFile(setup, 'export SEEN="$#:$*"\nset -- one two\n');
  const of = { RAG_SETUP_SCRIPT: setup, SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '2' };
  const { words, env } = said((await run(of, ['--input-file', 'a b'])).stdout);
  assert.deepEqual(words, ['run', '--input-file', 'a b']);
  assert.equal(env['SEEN'], '0:');
  assert.deepEqual([env['SLURM_STEP_ID'], env['SLURM_STEP_NUM_TASKS']], [undefined, undefined]);
  assert.deepEqual(said((await run(of)).stdout).words, ['run']);
});

test('a setup script may use unset variables and fail in places, and what it exports arrives', async () => {
  await mkdir(join(folder, 'setup'));
  await writeFile(join(folder, 'setup/ollama.sh'), 'export FROM_SETUP="$NOT_SET_AT_ALL"yes\nfalse\n');
  const { stdout } = await run({});
  assert.equal(said(stdout).env['FROM_SETUP'], 'yes');
});

test("the project's own Node is preferred, RAG_NODE to that", async () => {
  const own = join(home, `node_modules/node-linux-${process.arch}/bin`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'node'), '#!/bin/bash\necho own "$1"\n', { mode: 0o755 });
  assert.equal((await run({})).stdout, `own ${home}/dist/supervisor.js\n`);
  assert.equal(said((await run({ RAG_NODE: process.execPath })).stdout).node, process.execPath);
  await rm(join(home, 'node_modules'), { recursive: true });
});

const refusals: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, RegExp]> = [
  ['a RAG_NODE that is not there', { RAG_NODE: '/nowhere/node' }, /no \/nowhere\/node.*RAG_NODE/s],
  [
    'a RAG_SETUP_SCRIPT that is not there',
    { RAG_SETUP_SCRIPT: '/nowhere.sh' },
    /RAG_SETUP_SCRIPT: \/nowhere\.sh/,
  ],
];
for (const [name, env, message] of refusals) {
  test(`${name} is refused with 78 and its mend`, async () => {
    const { code, stderr } = await run(env);
    assert.equal(code, 78);
    assert.match(stderr, message);
  });
}

test('a checkout without a build is refused with 78 and the commands that build it', async () => {
  const bare = join(folder, 'bare');
  await cp(sbatch, join(bare, 'sbatch'), { recursive: true });
  await cp(findNode, join(bare, 'scripts/find-node.sh'));
  const { code, stderr } = await run({ RAG_HOME: bare });
  assert.equal(code, 78);
  assert.match(stderr, /no dist\/supervisor\.js in .*bare.*npm run build/s);
});
