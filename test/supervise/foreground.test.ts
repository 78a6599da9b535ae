import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { processesOfGroup } from '../../src/machine/processes.ts';
import { startForeground } from '../../src/supervise/foreground.ts';
import { until } from '../until.ts';
import { temporaryFolder } from './children.ts';

const quiet = (): void => undefined;
const shell = (script: string, cwd: string) => ({
  command: ['/bin/sh', '-c', script] as const,
  env: { PATH: process.env['PATH'] ?? '' },
  cwd,
});

test('its exit is its own, and what it left behind goes with it', async () => {
  using folder = temporaryFolder();
  let pid: number;
  {
    await using program = await startForeground(shell('sleep 60 & exit 3', folder.path), 1000, quiet);
    ({ pid } = program);
    assert.deepEqual(await program.exited, { code: 3, signal: null });
  }
  assert.deepEqual(processesOfGroup(pid), []);
});

test('TERM goes to all of its processes, another signal to the first alone', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'heard');
  const script = `trap 'echo USR1 >> ${file}' USR1
    (trap 'echo child TERM >> ${file}; exit' TERM; echo up >> ${file}; while :; do sleep 0.05; done) &
    trap 'wait; echo TERM >> ${file}; exit 7' TERM
    while :; do sleep 0.05; done`;
  await using program = await startForeground(shell(script, folder.path), 5000, quiet);
  const heard = (): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  await until(() => heard().includes('up'), 'the child');
  program.signal('SIGUSR1');
  await until(() => heard().includes('USR1'), 'USR1');
  program.signal('SIGTERM');
  assert.deepEqual(await program.exited, { code: 7, signal: null });
  assert.equal(heard(), 'up\nUSR1\nchild TERM\nTERM\n');
});

test('one that does not end by itself is killed after its grace', async () => {
  using folder = temporaryFolder();
  const up = join(folder.path, 'up');
  const deaf = `trap '' TERM; touch ${up}; while :; do sleep 0.05; done`;
  const program = await startForeground(shell(deaf, folder.path), 100, quiet);
  await until(() => existsSync(up), 'the trap');
  const stop = await program.end(200);
  assert.equal(stop.outcome, 'killed');
  assert.deepEqual(await program.exited, { code: null, signal: 'SIGKILL' });
});

test('a program that is not there is an error and no exit', async () => {
  using folder = temporaryFolder();
  const launch = { command: ['/no/such/program'] as const, env: {}, cwd: folder.path };
  const started = startForeground(launch, 100, quiet);
  const found = await started.then((program) => program.exited).catch((error: unknown) => error);
  assert.ok(found instanceof Error || (found as { code: number }).code > 0);
});
