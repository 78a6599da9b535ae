import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import {
  environmentOf,
  isAlive,
  processesMarked,
  readStat,
  runningPids,
} from '../../src/machine/processes.ts';
import { startGuard } from '../../src/supervise/guard.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { commandOf } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const name = 'GUARD_TEST';
const path = '/usr/bin:/bin';

const marked = (value: string): number[] =>
  runningPids().filter((pid) => environmentOf(pid).includes(`${name}=${value}`));

const isRunning = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat);
};

/** A program that supervises `fixture` with a guard, and the guard. */
async function supervise(value: string, fixture: string, ...words: string[]) {
  const [file, ...rest] = commandOf('supervises-guarded.ts', name, value, fixture, ...words);
  const supervisor = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(supervisor.stdout), 'line')) as [string];
  return { supervisor, exited: once(supervisor, 'exit'), guard: Number(line) };
}

test('kill -9 of a supervisor: within a second nothing that it had started is left, nor its guard', async () => {
  const value = `${process.pid}-all`;
  const { supervisor, exited, guard } = await supervise(value, 'leaves-all-kinds.sh');
  // The script, six of its kinds.
  await until(
    () => marked(value).length >= 7 && marked(value).some((pid) => readStat(pid)?.state === 'T'),
    'it is not up',
  );
  const since = performance.now();
  supervisor.kill('SIGKILL');
  await exited;
  await until(() => marked(value).length === 0 && !isRunning(guard), 'something survives');
  const tookMs = performance.now() - since;
  assert.ok(tookMs < 1000, `${tookMs} ms`);
});

test('a guard that is killed is replaced, and ignores what a batch system sends to all', async () => {
  const events: string[] = [];
  await using guard = startGuard({
    mark: { name, value: `${process.pid}-again` },
    path,
    onEvent: (event, detail) => events.push(`${event}: ${String(detail['end'])}`),
  });
  const first = guard.pid() ?? assert.fail();
  process.kill(first, 'SIGKILL');
  await until(() => guard.pid() !== undefined && guard.pid() !== first, 'no second guard');
  assert.deepEqual(events, ['restarting: SIGKILL']);
  await until(() => ignores(guard.pid() ?? 0, [1, 2, 15]), 'HUP, INT and TERM are not ignored');
  assert.equal(readStat(guard.pid() ?? 0)?.session, guard.pid(), 'it leads a session of its own');
});

/** By the mask of ignored signals. */
function ignores(pid: number, signals: readonly number[]): boolean {
  const mask = BigInt(
    `0x${/^SigIgn:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'}`,
  );
  return signals.every((signal) => (mask & (1n << BigInt(signal - 1))) !== 0n);
}

test('a guard that cannot work is given up and said to be none', async () => {
  const events: string[] = [];
  await using guard = startGuard({
    mark: { name, value: `${process.pid}-never` },
    // The shell finds this folder's `grep` first: one that has no -z.
    path: `${import.meta.dirname}/../fixtures/no-grep`,
    onEvent: (event, { end }) => events.push(`${event}: ${String(end)}`),
  });
  await until(() => events.length > 0, 'it goes on');
  assert.deepEqual(events, ['given up: exit code 3']);
  assert.equal(guard.pid(), undefined);
});

test('an ordinary end: whoever still carries the mark is ended, and then the guard', async () => {
  const value = `${process.pid}-end`;
  const guard = startGuard({ mark: { name, value }, path, onEvent: () => undefined });
  const pid = guard.pid() ?? assert.fail();
  const left = spawn('sleep', ['60'], {
    env: { PATH: path, [name]: value },
    stdio: 'ignore',
    detached: true,
  });
  const stranger = spawn('sleep', ['60'], { env: { PATH: path, [name]: `${value}0` }, stdio: 'ignore' });
  const exited = once(left, 'exit');
  await guard[Symbol.asyncDispose]();
  assert.equal(isRunning(pid), false);
  assert.deepEqual(await exited, [null, 'SIGTERM']);
  assert.equal(isRunning(stranger.pid ?? 0), true, 'a mark that only begins alike is another one');
  stranger.kill('SIGKILL');
});

test('a process of another job that inherited the mark is left alone, by the guard and by a stop', async () => {
  const value = `${process.pid}-jobs`;
  const start = (job: string | undefined) =>
    spawn('sleep', ['60'], {
      env: { PATH: path, [name]: value, ...(job !== undefined && { SLURM_JOB_ID: job }) },
      stdio: 'ignore',
      detached: true,
    });
  const own = environmentOf(process.pid).find((pair) => pair.startsWith('SLURM_JOB_ID='));
  const guard = startGuard({ mark: { name, value }, path, onEvent: () => undefined });
  const [ours, other] = [start(own?.split('=')[1]), start('another')];
  const ended = once(ours, 'exit');
  await until(() => processesMarked(`${name}=${value}`).length === 1, 'the one of ours');
  await guard[Symbol.asyncDispose]();
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(isRunning(other.pid ?? 0), true);
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
});

test('its blind spot: a process that has shed its environment and its session', async () => {
  const value = `${process.pid}-shed`;
  const seconds = `60.${process.pid}`;
  const { supervisor, exited, guard } = await supervise(value, 'sheds-its-mark.sh', seconds);
  const escaped = (): number[] =>
    runningPids().filter((pid) => isRunning(pid) && commandLine(pid) === `sleep ${seconds}`);
  await until(() => escaped().length === 1 && marked(value).length === 1, 'it is not up');
  supervisor.kill('SIGKILL');
  await exited;
  await until(() => marked(value).length === 0 && !isRunning(guard), 'the guard has not done its work');
  const left = escaped();
  left.forEach((pid) => process.kill(pid, 'SIGKILL'));
  assert.equal(left.length, 1);
});

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).join(' ');
  } catch {
    return '';
  }
}
