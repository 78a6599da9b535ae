import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeGraceMs } from '../../../src/job/prepare/grace.ts';

test('makeGraceMs() lets four services hang one after the other before Slurm kills the job', () => {
  for (const killWait of [10, 30, 60, 300]) assert.ok(4 * makeGraceMs(killWait) < killWait * 1000);
  assert.equal(makeGraceMs(30), 6750);
});

test('makeGraceMs() is never so short that a service cannot stop at all', () => {
  assert.equal(makeGraceMs(5), 1000);
  assert.equal(makeGraceMs(0), 1000);
});
