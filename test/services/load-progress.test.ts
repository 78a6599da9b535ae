import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadProgress } from '../../src/services/load-progress.ts';

test('loadProgress() changes with the log, and with what a grandchild reads', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'progress-'));
  const log = path.join(dir, 'log');
  // The shell waits for its child, which reads what we write.
  const child = spawn('/bin/sh', ['-c', 'cat; exit 0'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const echoed = async (text: string): Promise<void> => {
    child.stdin.write(text);
    await once(child.stdout, 'data');
  };
  await echoed('first');
  const pid = child.pid ?? 0;
  const before = loadProgress(pid, log);
  await appendFile(log, 'a line');
  const logged = loadProgress(pid, log);
  await echoed('more');
  const read = loadProgress(pid, log);
  child.stdin.end();
  await once(child, 'exit');
  assert.notEqual(before, logged);
  assert.notEqual(logged, read);
  assert.match(loadProgress(pid, log), /^6\/0$/);
  await rm(dir, { recursive: true });
});
