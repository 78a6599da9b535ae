import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, RagError } from '../../src/errors.ts';
import { problemOf } from '../../src/serve/problem.ts';

test('what the caller can mend is no failure of the service', () => {
  const mistakes: readonly ErrorCode[] = [
    'usage',
    'no-input',
    'too-long',
    'too-large',
    'frozen',
    'forbidden',
  ];
  for (const code of mistakes) {
    const { status } = problemOf(new RagError(code, 'Cannot'));
    assert.ok(status >= 400 && status < 500, `${code}: ${status}`);
  }
  assert.equal(problemOf(new TypeError('x is undefined')).status, 500);
});
