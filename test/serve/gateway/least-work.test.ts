import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, chooseInstance, openTo, type Wish } from '../../../src/serve/gateway/least-work.ts';

const idle = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  requests: 0,
  work: 0,
  hasRoom: true,
  isGrounded: false,
  ...more,
});
const busy = (id: string, work: number, more: Partial<Candidate> = {}): Candidate =>
  idle(id, { requests: 1, work, ...more });
const full = (id: string, work: number): Candidate => busy(id, work, { hasRoom: false });

const wish: Wish = { work: 100 };
const keptAt = (id: string, saves: number): Wish => ({ work: 100, kept: { id, saves } });

const table: readonly [string, readonly Candidate[], Wish, string | undefined][] = [
  ['nobody is there', [], wish, undefined],
  ['all have what they can take', [full('a', 10), full('b', 20)], wish, undefined],
  ['the one with the least work', [busy('a', 300), busy('b', 200), busy('c', 400)], wish, 'b'],
  ['of equal work the one with fewer requests', [busy('a', 5, { requests: 2 }), busy('b', 5)], wish, 'b'],
  ['a full one is not the least', [full('a', 10), busy('b', 200)], wish, 'b'],
  ['a conversation goes home', [busy('a', 50), idle('b')], keptAt('a', 0), 'a'],
  ['a home that is busier by one such request keeps it', [busy('a', 100), idle('b')], keptAt('a', 0), 'a'],
  ['a home that is busier still lets it go', [busy('a', 101), idle('b')], keptAt('a', 0), 'b'],
  ['a long beginning is worth a longer wait', [busy('a', 5_000), idle('b')], keptAt('a', 4_900), 'a'],
  ['and not any wait', [busy('a', 5_001), idle('b')], keptAt('a', 4_900), 'b'],
  ['a home that is full lets it go', [full('a', 0), busy('b', 900)], keptAt('a', 4_900), 'b'],
  ['a home that is gone is no home', [busy('b', 900), busy('c', 800)], keptAt('a', 4_900), 'c'],
  ['not where it has just failed', [idle('a'), busy('b', 900)], { work: 1, failedAt: 'a' }, 'b'],
  ['unless there is no other', [idle('a')], { work: 1, failedAt: 'a' }, 'a'],
  ['or the other is full', [idle('a'), full('b', 1)], { work: 1, failedAt: 'a' }, 'a'],
  ['not even home, where it failed', [idle('a'), busy('b', 9)], { ...keptAt('a', 99), failedAt: 'a' }, 'b'],
  ['not one that is being cured', [idle('a', { isGrounded: true }), busy('b', 900)], wish, 'b'],
  ['not even when the others are full', [idle('a', { isGrounded: true }), full('b', 9)], wish, undefined],
  ['unless all are being cured', [idle('a', { isGrounded: true })], wish, 'a'],
];

for (const [what, candidates, wanted, chosen] of table)
  test(`chooseInstance(): ${what}`, () => assert.equal(chooseInstance(candidates, wanted, 0), chosen));

test('chooseInstance() lets equals take turns', () => {
  const equals = [idle('a'), idle('b'), busy('c', 1)];
  assert.deepEqual(
    [0, 1, 2, 3].map((turn) => chooseInstance(equals, wish, turn)),
    ['a', 'b', 'a', 'b'],
  );
});

test('openTo() is empty exactly when chooseInstance() finds none', () => {
  for (const [, candidates, wanted] of table)
    assert.equal(openTo(candidates).length === 0, chooseInstance(candidates, wanted, 0) === undefined);
});
