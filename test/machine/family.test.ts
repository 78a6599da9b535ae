import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { descendantsOf, wordsOf } from '../../src/machine/family.ts';
import { readStat } from '../../src/machine/processes.ts';
import { until } from '../until.ts';

test('descendants are found whichever thread forked them, grandchildren too', async () => {
  // The shell says its child's pid, then waits for it.
  const program = `
    const { spawn } = require('node:child_process');
    const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; wait'], { detached: true });
    shell.stdout.once('data', (pid) => require('node:worker_threads').parentPort.postMessage([shell.pid, Number(pid)]));
    shell.once('exit', () => process.exit());
  `;
  const worker = new Worker(program, { eval: true });
  const ended = once(worker, 'exit');
  const [[shell, sleep]] = (await once(worker, 'message')) as [[number, number]];
  const found = descendantsOf(process.pid);
  assert.deepEqual(
    found.filter((pid) => pid === shell || pid === sleep),
    [shell, sleep],
  );
  await until(() => wordsOf(sleep)[0] === 'sleep', 'it is still the shell');
  process.kill(-shell, 'SIGKILL');
  await ended;
  assert.deepEqual([descendantsOf(shell), wordsOf(shell)], [[], []]);
});

test('what a process computes is counted', async () => {
  const child = spawn('/bin/sh', ['-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo; read _']);
  await once(child.stdout, 'data');
  const { cpuMs } = readStat(child.pid ?? 0) ?? assert.fail();
  assert.ok(cpuMs >= 10 && cpuMs < 10_000, `${cpuMs} ms`);
  child.stdin.end();
  await once(child, 'exit');
});
