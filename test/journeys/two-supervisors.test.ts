/** Two supervisors of one job on one node, as when a workload starts one: neither takes anything of the other's away. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram, startProgram, until } from './program.ts';

test('a second supervisor of a job has a state, tokens and logs of its own, and takes only those with it', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-two-'));
  const runtime = join(dir.path, 'runtime');
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: dir.path,
    LOG_ROOT: join(dir.path, 'logs'),
    SLURM_JOB_ID: '4711',
    SLURMD_NODENAME: 'node1',
  };
  const tokens = (name: string): string => join(runtime, `tokens/${name}.token`);
  const serve = async (name: string) => {
    const program = startProgram(['run', '--mode', 'serve'], { env });
    await until(`the tokens of ${name}`, 30_000, () => (existsSync(tokens(name)) ? true : undefined));
    return program;
  };
  const first = await serve('4711.node1');
  const second = await serve('4711.node1.2');
  const both = await runProgram(['status', '4711.node1'], { env });
  assert.match(both.stdout, /beside it runs 4711\.node1\.2: status 4711\.node1\.2/, both.stderr);

  const runOf = async (folder: string): Promise<unknown> =>
    (JSON.parse(await readFile(join(dir.path, 'logs', folder, 'run.json'), 'utf8')) as { run: unknown }).run;
  assert.notEqual(await runOf('4711'), await runOf('4711.2'));
  assert.deepEqual((await readdir(join(dir.path, 'logs'))).toSorted(), ['4711', '4711.2']);
  process.kill(second.pid, 'SIGTERM');
  assert.equal((await second.ended).code, 0);
  assert.deepEqual((await readdir(join(runtime, 'tokens'))).toSorted(), [
    '4711.node1.token',
    '4711.node1.url-token',
  ]);
  const left = await runProgram(['status', '4711', '--json'], { env });
  const { presence, others } = JSON.parse(left.stdout) as { presence: string; others: string[] };
  assert.deepEqual([presence, others], ['running', []]);
  process.kill(first.pid, 'SIGTERM');
  assert.equal((await first.ended).code, 0);
});

test('a run that cannot make its folders says so in its state, too', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-folders-'));
  const env = { RAG_ENGINE: 'embedded', RAG_SHARED_ROOT: dir.path, LOG_ROOT: join(dir.path, 'logs') };
  const run = await runProgram(['run', '--mode', 'serve'], { env: { ...env, TMPDIR: '/proc' } });
  assert.equal(run.code, 78, run.stderr);
  const status = await runProgram(['status'], { env });
  assert.match(status.stdout, /with 78: Cannot make a folder in \/proc \(TMPDIR\)/, status.stderr);
});
