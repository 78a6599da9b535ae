import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { codeOf } from '../../src/errors.ts';
import type { ChildState } from '../../src/supervise/spec.ts';
import { type ChildEvent, nextState } from '../../src/supervise/state.ts';

const exit = { code: 1, signal: null };
const events: readonly ChildEvent[] = [
  { event: 'spawned', pid: 7, at: 1 },
  { event: 'ready', at: 2 },
  { event: 'stop' },
  { event: 'restart', at: 3, reason: 'exited with code 1' },
  { event: 'exit', exit },
  { event: 'fail', error: new Error('no') },
];
const [spawned, ready, stop, restart, exited, failed] = events as [
  ChildEvent,
  ChildEvent,
  ChildEvent,
  ChildEvent,
  ChildEvent,
  ChildEvent,
];

test('a crash leads from ready over stopping to restarting and back', () => {
  const states: ChildState[] = [{ state: 'pending' }];
  for (const event of [spawned, ready, stop, restart, spawned, stop, exited])
    states.push(nextState(states.at(-1) as ChildState, event));
  assert.deepEqual(
    states.map(({ state }) => state),
    ['pending', 'starting', 'ready', 'stopping', 'restarting', 'starting', 'stopping', 'exited'],
  );
  assert.deepEqual(states[3], { state: 'stopping', pid: 7 });
  assert.deepEqual(states[7], { state: 'exited', exit });
});

test('a running child is neither ended nor restarted before its group was emptied', () => {
  for (const current of [
    nextState({ state: 'pending' }, spawned),
    { state: 'ready', pid: 7, since: 1 } as const,
  ])
    for (const event of [restart, exited, failed])
      assert.throws(
        () => nextState(current, event),
        (error) => codeOf(error) === 'bug',
      );
});

test('exited and failed are final, and no sequence of events reaches an unknown state', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (sequence) => {
      let current: ChildState = { state: 'pending' };
      for (const event of sequence) {
        const before = current;
        try {
          current = nextState(before, event);
          assert.ok(before.state !== 'exited' && before.state !== 'failed');
        } catch (error) {
          assert.equal(codeOf(error), 'bug');
        }
      }
    }),
  );
});
