import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { launchWarning, readAncestors } from '../../src/slurm/launch.ts';
import { slurmJob } from './fake-tools.ts';

test('a supervisor started by slurmstepd is started well', () => {
  assert.equal(launchWarning(slurmJob, ['slurmstepd', 'slurmd'], false), undefined);
});

test('a supervisor behind a shell is warned about, with the mend', () => {
  const warning = launchWarning(slurmJob, ['bash', 'slurmstepd'], false);
  assert.match(warning ?? '', /started by "bash".*"exec" before node/s);
});

test('the door of an older Node may stand in between, a shell before it may not', () => {
  assert.equal(launchWarning(slurmJob, ['node', 'slurmstepd'], true), undefined);
  assert.match(launchWarning(slurmJob, ['node', 'bash'], true) ?? '', /started by "bash"/);
});

test('nothing is said of a local job, or where the parent cannot be seen', () => {
  assert.equal(launchWarning({ ...slurmJob, kind: 'local' }, ['bash'], false), undefined);
  assert.equal(launchWarning(slurmJob, [], false), undefined);
});

test('the ancestors of a process are named nearest first, parentheses in a name included', async () => {
  const script = `printf '%s' 'a) S 1 (b' > /proc/self/comm; echo ready; read -r`;
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  assert.deepEqual((await readAncestors(child.pid, 1))[0], 'a) S 1 (b');
  assert.equal((await readAncestors(child.pid, 2)).length, 2);
  child.stdin.end();
  await once(child, 'exit');
  assert.deepEqual(await readAncestors(child.pid, 2), []);
});
