import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellRefusals } from '../../../src/job/shown/refusals.ts';

test('the first refusal of a kind is told at once, those of the next minute as a number', () => {
  let now = 0;
  const lines: unknown[] = [];
  const tell = tellRefusals({ file: (_line, fields) => lines.push(fields) }, () => now);
  const [unknown, page] = [
    { status: 401, code: 'forbidden', message: 'no token' },
    { status: 403, code: 'forbidden', message: 'a page' },
  ];
  for (let n = 0; n < 1000; n += 1) tell(unknown);
  tell(page);
  assert.deepEqual(lines, [
    { status: 401, message: 'no token', times: 1 },
    { status: 403, message: 'a page', times: 1 },
  ]);
  now = 60_000;
  tell(unknown);
  assert.deepEqual(lines.slice(2), [{ status: 401, message: 'no token', times: 1000 }]);
});
