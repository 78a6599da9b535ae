/** kill -9 of the supervisor together with what it supervises, and of its guard: what is left, and for how long. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';

import { isAlive, readStat } from '../../src/machine/processes.ts';
import { checkout, processesMarked, runProgram, startProgram, until, untilGone } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-kill-all-'));
const running = new Set<number>();
after(() => {
  killAll([...running]);
  rmSync(folder, { recursive: true });
});

const mark = 'KILL_ALL_TEST';
const envOf = (name: string): Record<string, string> => ({
  PATH: `${join(checkout, 'test/fixtures/fake-ollama')}${delimiter}${process.env['PATH']}`,
  RAG_ENGINE: 'ollama',
  RAG_ALLOW_CPU: '1',
  RAG_SHARED_ROOT: join(folder, name),
  LOG_ROOT: join(folder, 'logs'),
  TMPDIR: folder,
  [mark]: `${process.pid}-${name}`,
});

/** Two servers with a runner each, reranker, store host, and the guard, whose environment is empty. */
async function serve(name: string, more: Readonly<Record<string, string>> = {}) {
  const env = { ...envOf(name), ...more };
  const program = startProgram(['run', '--mode', 'serve'], { env, cwd: folder });
  running.add(program.pid);
  void program.ended.then(() => running.delete(program.pid));
  const file = join(folder, name, 'runtime/ollama_service.json');
  const ended = program.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  await Promise.race([until('the endpoint', 60_000, () => (existsSync(file) ? true : undefined)), ended]);
  ended.catch(() => {});
  const value = env[mark] ?? '';
  const all = processesMarked(mark, value);
  const servers = all.filter(({ command }) => command.endsWith('main.mjs serve')).map(({ pid }) => pid);
  const runners = all
    .filter(({ command }) => /^(ollama|llama-server) 600/.test(command))
    .map(({ pid }) => pid);
  assert.deepEqual([servers.length, runners.length], [2, 2], all.map(({ command }) => command).join('\n'));
  return { program, value, servers, runners, guard: guardsOf(program.pid)[0] ?? assert.fail('no guard') };
}

/** Children of the supervisor that run as guard; a dead one has no command line. */
const guardsOf = (supervisor: number): number[] =>
  readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((pid) => commandLine(pid).includes('\0guard\0'))
    .map(Number);

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it went while we looked
  }
}

const isRunning = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat);
};

const killAll = (pids: readonly number[]): void => pids.forEach((pid) => process.kill(pid, 'SIGKILL'));

test('kill -9 of the supervisor and of both servers: after a second neither runner nor guard is left', async (t) => {
  // And a command of Slurm's that waits for its controller.
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'squeue'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
  const { program, value, servers, guard } = await serve('servers', {
    SLURM_JOB_ID: `98${process.pid}`,
    PATH: `${bin}${delimiter}${envOf('servers')['PATH']}`,
  });
  assert.ok(processesMarked(mark, value).some(({ command }) => command === 'sleep 600'));
  const status = await runProgram(['status'], { env: envOf('servers') });
  assert.match(status.stdout, /^containment guard: kill -9 of guard and supervisor/m);
  const since = performance.now();
  killAll([program.pid, ...servers]);
  await untilGone(mark, value, 1000);
  await until(
    'the end of the guard',
    1000 - (performance.now() - since),
    () => !isRunning(guard) || undefined,
  );
  t.diagnostic(`clean after ${Math.round(performance.now() - since)} ms`);
});

test('servers that are stopped are ended as well', async () => {
  const { program, value, servers, runners } = await serve('stopped');
  [...servers, ...runners].forEach((pid) => process.kill(pid, 'SIGSTOP'));
  killAll([program.pid]);
  await untilGone(mark, value, 1000);
});

test('kill -9 of the guard alone: another takes its place', async () => {
  const { program, value, servers, guard } = await serve('guard');
  killAll([guard]);
  await until('another guard', 1000, () => {
    const [found] = guardsOf(program.pid);
    return found === guard ? undefined : found;
  });
  killAll([program.pid, ...servers]);
  await untilGone(mark, value, 1000);
});

test('its one gap: guard, supervisor and servers at once leave the runners, until the job starts again', async () => {
  const job = { SLURM_JOB_ID: `99${process.pid}` };
  const { program, value, servers, runners, guard } = await serve('gap', job);
  // Stopped first, as if all three died in the same instant: none has time to notice the end of another.
  [program.pid, ...servers].forEach((pid) => process.kill(pid, 'SIGSTOP'));
  killAll([...servers, guard, program.pid]);
  await until(
    'the end of all but the runners',
    5000,
    () => processesMarked(mark, value).every(({ pid }) => runners.includes(pid)) || undefined,
  );
  const left = runners.filter(isRunning);
  const again = await runProgram(
    ['run', '--mode', 'ingest', '--input-file', join(checkout, 'docs/design.md')],
    {
      env: { ...envOf('gap'), ...job, [mark]: 'again' },
    },
  );
  const stillLeft = runners.filter(isRunning);
  killAll(stillLeft);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(left.length, 2, 'the gap is closed: say so in the documents');
  assert.deepEqual(stillLeft, []);
  assert.match(again.stderr, /ended 2 processes that a dead supervisor of this job had left/);
});
