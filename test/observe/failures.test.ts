import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureLine, logFailures, makeWarningLog } from '../../src/observe/failures.ts';

test('a name that holds line feeds or escape sequences makes one line of plain text', () => {
  const reason = 'empty';
  assert.equal(failureLine({ document: 'a\nok: b\u001B[2J.txt', reason }), 'a ok: b[2J.txt: empty');
});

test('a log names the first documents that were set aside, and counts the others by their reasons', () => {
  const reasons = ['damaged', ...Array.from({ length: 30 }, () => 'empty'), 'a', 'b', 'c', 'd', 'e', 'f'];
  const failures = reasons.map((reason, at) => ({ document: `${at}.pdf`, state: 'failed' as const, reason }));
  const said: string[] = [];
  logFailures(failures, (level, line) => void said.push(`${level}: ${line}`));
  assert.equal(said[0], 'warn: set aside: 0.pdf: damaged');
  assert.equal(said[19], 'warn: set aside: 19.pdf: empty');
  assert.deepEqual(said.slice(20, 22), ['warn: set aside: 11 more: empty', 'warn: set aside: 1 more: a']);
  assert.deepEqual(said.slice(25), ['warn: set aside: 2 more for other reasons']);
});

test('of many documents with a warning twenty are named', () => {
  const lines: string[] = [];
  const warn = makeWarningLog((_level, line) => lines.push(line));
  for (let n = 0; n < 30; n += 1) warn(`${n}.txt`, 'read as Windows-1252');
  assert.equal(lines.length, 21);
  assert.equal(lines[0], '0.txt: read as Windows-1252');
});
