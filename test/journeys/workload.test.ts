/** A command of the user's beside the services, as a training run is. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkout, processesMarked, runProgram, startProgram, until, untilGone } from './program.ts';

let folder: string;
let env: Readonly<Record<string, string>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-workload-'));
  env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    RAG_ALLOW_CPU: '1',
    WORKLOAD_TEST: folder,
    http_proxy: 'http://192.0.2.1:3128',
  };
});
after(() => rm(folder, { recursive: true }));

const corpus = join(checkout, 'examples/corpus');
const trainer = join(checkout, 'examples/trainer.py');

test('a trainer finds the retriever in its environment, and the run ends when it does, with its exit code', async () => {
  const words = ['run', '--input-file', corpus, '--', 'python3', trainer, '--steps', '2'];
  const { code, stdout, stderr } = await runProgram(words, {
    env: { ...env, CUDA_VISIBLE_DEVICES: '4,5,6' },
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /trainer: GPUs 4,5, retriever at 127\.0\.0\.1:\d+/);
  assert.match(stdout, /trainer: step 2, 3 passages/);
  assert.equal(existsSync(join(folder, 'shared/runtime/ollama_service.json')), false);
  const failed = await runProgram(['run', '--', 'sh', '-c', 'test -r "$RAG_TOKEN_FILE" && exit 7'], { env });
  assert.equal(failed.code, 7, failed.stderr);
  await untilGone('WORKLOAD_TEST', folder, 2000);
});

test('a workload that asks for the status at once is told that all is ready', async () => {
  const runtime = join(folder, 'runtime');
  const words = ['run', '--', 'sh', '-c', `cat ${runtime}/supervisors/*.json`];
  const { stdout, stderr } = await runProgram(words, { env: { ...env, RAG_RUNTIME_STATE: runtime } });
  const { phase, services } = JSON.parse(stdout) as { phase: string; services: { state: string }[] };
  assert.equal(phase, 'answering', stderr);
  assert.deepEqual(new Set(services.map(({ state }) => state)), new Set(['ready']));
});

test('before the wall time the trainer gets its signal, saves, and the run says that work is left', async () => {
  const checkpoint = join(folder, 'checkpoint');
  const words = [
    'run',
    '--workload-signal',
    'USR1',
    '--',
    'python3',
    trainer,
    '--steps',
    '0',
    '--checkpoint',
    checkpoint,
  ];
  const program = startProgram(words, { env });
  await until('a step', 30_000, () => (existsSync(checkpoint) ? true : undefined));
  process.kill(program.pid, 'SIGUSR2');
  const { code, stdout, stderr } = await program.ended;
  assert.equal(code, 75, stderr);
  assert.match(stderr, /workload gets SIGUSR1 and 120 s to end/);
  assert.match(stdout, /told to end by signal 10, step \d+ is saved/);
  assert.ok(Number(await readFile(checkpoint, 'utf8')) > 0);
  await untilGone('WORKLOAD_TEST', folder, 2000);
});

test('a workload that does not hear is killed with all that it started, and nothing is left', async () => {
  const deaf = "trap '' TERM; (setsid sleep 300 &) ; while :; do sleep 0.1; done";
  const program = startProgram(['run', '--drain-seconds', '1', '--', 'sh', '-c', deaf], { env });
  await until('the workload', 30_000, () =>
    processesMarked('WORKLOAD_TEST', folder).find(({ command }) => command.startsWith('sleep 300')),
  );
  process.kill(program.pid, 'SIGUSR2');
  const { code } = await program.ended;
  assert.equal(code, 75);
  await untilGone('WORKLOAD_TEST', folder, 2000);
});

test('the TERM that follows the warning, as at the limit or by scancel, leaves a workload no more time', async () => {
  const file = (name: string): string => join(folder, name);
  const deaf = `trap '' TERM; trap 'touch ${file('warned')}' USR1; touch ${file('started')}; while :; do sleep 0.1; done`;
  const words = ['run', '--drain-seconds', '300', '--workload-signal', 'USR1', '--', 'sh', '-c', deaf];
  const program = startProgram(words, { env });
  const untilThere = (name: string) => until(name, 30_000, () => (existsSync(file(name)) ? true : undefined));
  await untilThere('started');
  const reranker = processesMarked('WORKLOAD_TEST', folder).find(({ command }) => /reranker/.test(command));
  process.kill(program.pid, 'SIGUSR2');
  await untilThere('warned');
  process.kill(program.pid, 'SIGTERM');
  process.kill(reranker?.pid ?? 0, 'SIGTERM'); // as Slurm does where it tracks processes by their parents
  const { code, stderr } = await program.ended;
  assert.equal(code, 75, stderr);
  assert.match(stderr, /workload gets SIGUSR1 and 300 s to end/);
  assert.doesNotMatch(stderr, /is started again/);
  await untilGone('WORKLOAD_TEST', folder, 2000);
});

test('a workload that is told to end by TERM alone has its share of the time that Slurm leaves, and no service comes back', async () => {
  const slow = `trap 'sleep 4; echo saved; exit 0' TERM; touch ${join(folder, 'running')}; while :; do sleep 0.1; done`;
  const program = startProgram(['run', '--', 'sh', '-c', slow], { env });
  await until('it', 30_000, () => (existsSync(join(folder, 'running')) ? true : undefined));
  const reranker = processesMarked('WORKLOAD_TEST', folder).find(({ command }) => /reranker/.test(command));
  process.kill(program.pid, 'SIGTERM');
  process.kill(reranker?.pid ?? 0, 'SIGTERM'); // as Slurm does where it tracks processes by their parents
  const { code, stdout, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /saved/);
  assert.doesNotMatch(stderr, /is started again/);
  assert.match(stderr, /ended with 0: the workload is done \(SIGTERM\)/);
  await untilGone('WORKLOAD_TEST', folder, 2000);
});

test('a service that dies while a warned workload saves is started again: the workload may still ask', async () => {
  const saving = join(folder, 'saving');
  const slow = `trap 'touch ${saving}; sleep 3; exit 0' USR1; touch ${saving}.up; while :; do sleep 0.1; done`;
  const program = startProgram(['run', '--workload-signal', 'USR1', '--', 'sh', '-c', slow], { env });
  await until('it', 30_000, () => (existsSync(`${saving}.up`) ? true : undefined));
  process.kill(program.pid, 'SIGUSR2');
  await until('its checkpoint', 30_000, () => (existsSync(saving) ? true : undefined));
  const reranker = processesMarked('WORKLOAD_TEST', folder).find(({ command }) => /reranker/.test(command));
  process.kill(reranker?.pid ?? 0, 'SIGKILL');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /reranker is started again/);
});
