import assert from 'node:assert/strict';
import { test } from 'node:test';
import { othersRunning, wantsRequeue } from '../../../src/job/life/put-back.ts';
import { slurmJob } from '../../slurm/fake-tools.ts';

test('only work that the wall-time warning left is put back', () => {
  const cases: [number, unknown, boolean][] = [
    [75, { signal: 'SIGUSR2' }, true],
    [75, { signal: 'SIGTERM' }, false], // scancel, preemption
    [0, { signal: 'SIGUSR2' }, false], // a service with nothing open
    [74, { signal: 'SIGUSR2' }, false], // the disk will be full the next time too
    [75, undefined, false],
  ];
  for (const [exit, reason, expected] of cases) assert.equal(wantsRequeue({ exit, reason }), expected);
});

test('only supervisors of the same job on other nodes are waited for', () => {
  const record = (name: string, presence: 'running' | 'ended' | 'gone') => ({ name, presence });
  assert.ok(othersRunning([record('12.node2', 'running')], slurmJob));
  assert.ok(othersRunning([record('12.node10', 'running')], slurmJob));
  const others = [
    record('12.node1', 'running'),
    record('12.node1.2', 'running'),
    record('12.node2', 'ended'),
    record('12.node3', 'gone'),
    record('123.node2', 'running'),
  ];
  assert.equal(othersRunning(others, slurmJob), false);
});
