import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureLine, logFailures } from '../../src/observe/failures.ts';

test('a name that holds line feeds or escape sequences makes one line of plain text', () => {
  const reason = 'empty';
  assert.equal(failureLine({ document: 'a\nok: b\u001B[2J.txt', reason }), 'a ok: b[2J.txt: empty');
});

test('a log names the first documents that were set aside, and counts the others', () => {
  const failures = Array.from({ length: 25 }, (_, at) => ({
    document: `${at}.pdf`,
    state: 'failed' as const,
    reason: 'empty',
  }));
  const said: string[] = [];
  logFailures(failures, (level, line) => void said.push(`${level}: ${line}`));
  assert.equal(said.length, 21);
  assert.equal(said[0], 'warn: set aside: 0.pdf: empty');
  assert.equal(said.at(-1), 'warn: set aside: 5 more');
});
