import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayLine, logLine, type LogLine } from '../../src/observe/log-line.ts';
import type { Paint } from '../../src/observe/paint.ts';

const at = new Date(2026, 10, 22, 13, 20, 4);

const cases: [Omit<LogLine, 'at'>, string][] = [
  [{ level: 'info', text: 'store is ready' }, '13:20:04 store is ready'],
  [{ level: 'warn', text: 'no guard stands' }, '13:20:04 warn: no guard stands'],
  [{ level: 'info', phase: 'ingest', text: 'store is ready' }, '13:20:04 ingest    store is ready'],
  [{ level: 'error', phase: 'answering', text: 'it failed' }, '13:20:04 answering error: it failed'],
  [{ level: 'info', phase: 'ingest', text: 'a\u001B[2Jb' }, '13:20:04 ingest    a[2Jb'],
];
for (const [line, wanted] of cases)
  test(`a line of a log: ${wanted}`, () => assert.equal(logLine({ at, ...line }), wanted));

test('what is wrong stands out, and when it was does not', () => {
  const paint: Paint = (style, text) => `<${style}:${text}>`;
  const painted = logLine({ at, level: 'error', phase: 'draining', text: 'it failed' }, paint);
  assert.equal(painted, '<dim:13:20:04 draining > <bad:error: it failed>');
  assert.equal(logLine({ at, level: 'info', text: 'x' }, paint), '<dim:13:20:04> x');
});

test('another day has a line of its own', () => assert.equal(dayLine(at), '--- 2026-11-22'));
