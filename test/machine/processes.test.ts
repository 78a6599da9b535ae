import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  isAlive,
  parentOf,
  parseStat,
  processesOfGroup,
  readStat,
  startTimeOf,
} from '../../src/machine/processes.ts';
import { until } from '../until.ts';

test('a name with spaces and parentheses does not shift the fields', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'processes-'));
  const program = join(folder, 'a) Z 1 (b');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60'], { stdio: 'ignore', detached: true });
  try {
    await once(child, 'spawn');
    const pid = child.pid ?? assert.fail();
    const { state, group, parent, threads } = readStat(pid) ?? assert.fail();
    assert.deepEqual({ group, parent, threads }, { group: pid, parent: process.pid, threads: 1 });
    assert.match(state, /[RSD]/);
    assert.equal(parentOf(pid), process.pid);
    assert.deepEqual(
      processesOfGroup(pid).map((one) => one.pid),
      [pid],
    );
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  }
});

test('a process that is gone has no parent and no start time', async () => {
  const child = spawn('true', { stdio: 'ignore' });
  const pid = child.pid ?? assert.fail();
  await once(child, 'exit');
  assert.equal(parentOf(pid), undefined);
  assert.equal(startTimeOf(pid), undefined);
  assert.deepEqual(processesOfGroup(pid), []);
});

test('a zombie is not alive, unless threads of it still run', () => {
  const stat = (state: string, threads: number) =>
    parseStat(`42 (ollama) ${state} 1 42 42 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 ${threads} 0 12345 0 0`);
  assert.equal(stat('S', 1).startTime, 12345);
  assert.equal(isAlive(stat('S', 1)), true);
  assert.equal(isAlive(stat('T', 1)), true);
  assert.equal(isAlive(stat('Z', 1)), false);
  assert.equal(isAlive(stat('Z', 8)), true);
});

test('an unreaped child is no member of its group', async () => {
  // The shell becomes `sleep`, which waits for no child; the child leads a group of its own and ends.
  const child = spawn('sh', ['-c', 'setsid sleep 0.1 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const zombie = Number(chunk.toString());
    await until(() => readStat(zombie)?.state === 'Z', 'it is no zombie');
    assert.deepEqual(processesOfGroup(zombie), []);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
