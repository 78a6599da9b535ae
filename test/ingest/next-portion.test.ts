import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOwnOrder, makeStillness, nextPortion, type Progress } from '../../src/ingest/next-portion.ts';

const order = inOwnOrder(6, { rank: 1, size: 3 });
const progress = (given: Partial<Progress>): Progress => ({
  claims: new Map(),
  done: new Set(),
  abandoned: new Set(),
  ...given,
});
const claimed = (...portions: number[]): Map<number, number> => new Map(portions.map((each) => [each, 1]));

test('a run begins with its own portions and goes on with those of its neighbours', () => {
  assert.deepEqual(order, [1, 4, 2, 5, 0, 3]);
  assert.deepEqual(inOwnOrder(3, { rank: 7, size: 3 }), [1, 2, 0]);
});

test('what nobody has begun comes before what somebody has abandoned', () => {
  assert.deepEqual(nextPortion(order, progress({})), { kind: 'take', portion: 1, nth: 1 });
  const most = { claims: claimed(0, 1, 2, 4, 5), abandoned: new Set([1]) };
  assert.deepEqual(nextPortion(order, progress(most)), { kind: 'take', portion: 3, nth: 1 });
  const all = { claims: claimed(0, 1, 2, 3, 4, 5), abandoned: new Set([2, 0]), done: new Set([1, 4]) };
  assert.deepEqual(nextPortion(order, progress(all)), { kind: 'take', portion: 2, nth: 2 });
});

test('what is done is not done again, whoever claimed it', () => {
  const claims = claimed(0, 1, 2, 3, 4, 5);
  const done = new Set([0, 1, 2, 3, 4]);
  assert.deepEqual(nextPortion(order, progress({ claims, done })), { kind: 'wait' });
  assert.deepEqual(nextPortion(order, progress({ claims, done: done.add(5), abandoned: new Set([3]) })), {
    kind: 'over',
  });
});

test('a counter must have stood still for the whole time before the eyes of the observer', () => {
  const stillness = makeStillness(100, 40);
  const looks = [0, 30, 60, 90, 120].map((now) => stillness.stoodStill('a', 7, now));
  assert.deepEqual(looks, [false, false, false, false, true]);
  assert.ok(!stillness.stoodStill('a', 8, 150), 'it has moved');
  assert.ok(!stillness.stoodStill('a', 8, 100_000), 'the observer was suspended himself');
  assert.ok(!stillness.stoodStill('b', 8, 100_000), 'another one');
});
