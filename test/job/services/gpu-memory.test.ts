import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeGpuMemory } from '../../../src/job/services/gpu-memory.ts';
import { watchLeaks } from '../../leaks.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-gpu-memory-'));
const leaks = watchLeaks();
after(async () => {
  rmSync(folder, { recursive: true });
  await leaks.assertNone();
});

const mark = `GPU_MEMORY_TEST=${process.pid}`;

/** A driver that tells what stands in a file. */
function driver(name: string): { readonly program: string; readonly tell: (lines: string) => void } {
  const [program, listed] = [join(folder, name), join(folder, `${name}.txt`)];
  writeFileSync(program, `#!/bin/sh\ncat ${listed}\n`, { mode: 0o755 });
  return { program, tell: (lines) => writeFileSync(listed, lines) };
}

test('memory that a dead process of ours still holds is waited for, that of others is not', async () => {
  const { program, tell } = driver('slow-driver');
  const child = spawn('sleep', ['60'], {
    env: { PATH: process.env['PATH'], GPU_MEMORY_TEST: `${process.pid}` },
  });
  await once(child, 'spawn');
  tell(`${child.pid}, 70000\n${process.pid}, 300\n`);
  const memory = makeGpuMemory(program, mark);
  await memory.note();
  const free = memory.untilFree();
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The driver takes its time.
  setTimeout(() => tell(`${process.pid}, 300\n`), 250);
  assert.deepEqual(await free, []);
});

test('memory that stays is told', async () => {
  const { program, tell } = driver('stuck-driver');
  const child = spawn('sleep', ['60'], {
    env: { PATH: process.env['PATH'], GPU_MEMORY_TEST: `${process.pid}` },
  });
  await once(child, 'spawn');
  tell(`${child.pid}, 70000\n`);
  const memory = makeGpuMemory(program, mark, 300);
  await memory.note();
  const left = memory.untilFree();
  assert.deepEqual(await left, [{ pid: child.pid, mebibytes: 70000 }]);
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('without a driver nothing is asked', async () => {
  const memory = makeGpuMemory(undefined, mark);
  await memory.note();
  assert.deepEqual(await memory.untilFree(), []);
});

test('a driver that never answers holds up no stop', async () => {
  const program = join(folder, 'hung-driver');
  writeFileSync(program, '#!/bin/sh\nsleep 60\n', { mode: 0o755 });
  const memory = makeGpuMemory(program, mark, 300);
  const asked = performance.now();
  void memory.note();
  assert.deepEqual(await memory.untilFree(), []);
  assert.ok(performance.now() - asked < 10_000);
});

test('between two layouts only the memory of those that are gone is waited for, longer than at a stop', async () => {
  const { program, tell } = driver('switching-driver');
  const env = { PATH: process.env['PATH'], GPU_MEMORY_TEST: `${process.pid}` };
  const [leaves, stays] = [spawn('sleep', ['60'], { env }), spawn('sleep', ['60'], { env })];
  await Promise.all([once(leaves, 'spawn'), once(stays, 'spawn')]);
  tell(`${leaves.pid}, 5000\n${stays.pid}, 300\n`);
  const memory = makeGpuMemory(program, mark, 50);
  await memory.note();
  assert.deepEqual(await memory.untilEndedFree(new AbortController().signal), []);
  leaves.kill('SIGKILL');
  await once(leaves, 'exit');
  let isFree = false;
  const free = memory.untilEndedFree(new AbortController().signal);
  setTimeout(() => {
    isFree = true;
    tell(`${stays.pid}, 300\n`);
  }, 250);
  assert.deepEqual(await free, []);
  assert.ok(isFree, 'it was waited for');
  stays.kill('SIGKILL');
  await once(stays, 'exit');
});
