import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerError, connectionError, unfinished } from '../../src/models/ollama-errors.ts';
import { nextTry, noSetbacks } from '../../src/models/patience.ts';

const refused = connectionError('u', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));

test('nextTry() gives up at once on an error that repeating does not cure', () => {
  assert.equal(nextTry(noSetbacks, answerError('m', 404, 'not found')), null);
  assert.equal(nextTry(noSetbacks, new Error('a bug')), null);
});

test('nextTry() allows one death of the server', () => {
  const first = nextTry(noSetbacks, unfinished('it died'));
  assert.equal(first?.tally.died, 1);
  assert.equal(nextTry(first.tally, unfinished('it died')), null);
});

test('nextTry() blames no request for refused connections, waits longer each time, and ends', () => {
  let next = nextTry(noSetbacks, refused);
  const waits: number[] = [];
  while (next !== null) {
    waits.push(next.waitMs);
    next = nextTry(next.tally, refused);
  }
  const total = waits.reduce((sum, each) => sum + each, 0);
  assert.ok(total > 30_000 && total < 120_000, `${total} ms`);
  assert.deepEqual(
    waits,
    [...waits].sort((a, b) => a - b),
  );
});
