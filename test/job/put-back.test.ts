import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantsRequeue } from '../../src/job/put-back.ts';

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
