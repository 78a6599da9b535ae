import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { isAlive, readStat } from '../../src/machine/processes.ts';
import { deathSignalPrefix } from '../../src/supervise/death-signal.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { commandOf, isGone, temporaryFolder } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

/** Kills a supervisor of two children and waits for the end of both. Gives the program that made it so. */
async function killSupervisor(folder: string, path: string): Promise<string> {
  const [file, ...rest] = commandOf(
    'supervises-until-killed.ts',
    folder,
    path,
    'sleeps.sh',
    'ignores-term.sh',
  );
  const supervisor = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(supervisor, 'exit');
  const [line] = (await once(createInterface(supervisor.stdout), 'line')) as [string];
  const pids = JSON.parse(line) as number[];
  assert.ok(pids.length === 2 && pids.every(isRunning));
  supervisor.kill('SIGKILL');
  await exited;
  try {
    await until(() => !pids.some(isRunning), 'children survive their supervisor');
  } finally {
    // What a child had started itself is not reached by the death signal: that takes a guard or a namespace.
    for (const pid of pids) if (!isGone(pid)) process.kill(-pid, 'SIGKILL');
  }
  return (await deathSignalPrefix('SIGKILL', path))[0] ?? 'nothing';
}

const isRunning = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat);
};

test('children die when their supervisor is killed by -9', async () => {
  using folder = temporaryFolder();
  assert.match(await killSupervisor(folder.path, '/usr/bin:/bin'), /setpriv$|perl$/);
});

test('perl makes it so where setpriv is too old', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'setpriv'), '#!/bin/sh\necho "unrecognized option" >&2; exit 1\n', {
    mode: 0o755,
  });
  assert.match(await killSupervisor(folder.path, `${folder.path}:/usr/bin:/bin`), /perl$/);
});

test('and python where perl is missing too', async () => {
  using folder = temporaryFolder();
  for (const name of ['setpriv', 'perl'])
    writeFileSync(join(folder.path, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const path = [folder.path, process.env['PATH'], '/usr/bin', '/bin'].join(':');
  assert.match(await killSupervisor(folder.path, path), /python3$/);
});

test('a program whose supervisor has died already is not started', async () => {
  const [file = '', ...rest] = await deathSignalPrefix('SIGKILL', '/usr/bin:/bin');
  // Another parent than the one that asked: as if we had died and a reaper had taken over.
  const child = spawn(file, [...rest.slice(0, -1), '1', '/bin/echo', 'started'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 99);
  assert.equal(Buffer.concat(output).toString(), '');
});
