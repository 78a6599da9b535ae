import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { makeTurns } from '../../src/query/turns.ts';

const { signal } = new AbortController();

test('turns go in the order of the calls, never more at once than the bound', async () => {
  const inTurn = makeTurns(2);
  const begun: number[] = [];
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, i) => inTurn(() => (begun.push(i), promise), signal));
  const end = async (i: number): Promise<void> => {
    ends[i]?.resolve();
    await all[i];
    await setImmediate();
  };
  await setImmediate();
  assert.deepEqual(begun, [0, 1]);
  await end(1);
  assert.deepEqual(begun, [0, 1, 2]);
  await end(0);
  await Promise.all([end(2), end(3)]);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});

test('who leaves while it waits takes no turn, and work that fails gives its turn back', async () => {
  const inTurn = makeTurns(1);
  const first = Promise.withResolvers<void>();
  const failing = inTurn(() => first.promise, signal);
  const impatient = new AbortController();
  const left = inTurn(() => Promise.reject(new Error('ran')), impatient.signal);
  const last = inTurn(() => Promise.resolve('done'), signal);
  impatient.abort();
  await assert.rejects(left, { name: 'AbortError' });
  first.reject(new Error('failed'));
  await assert.rejects(failing, /failed/);
  assert.equal(await last, 'done');
});
