import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { ChildSpec } from '../../src/supervise/spec.ts';
import { judge, judgeAtTheEnd, type RunEnd } from '../../src/supervise/verdict.ts';
import { childSpec } from './children.ts';

test('the verdict on a run whose leader was lost', () => {
  const exit = { code: 1, signal: null };
  const crashed: RunEnd = { outcome: 'exited', exit };
  const done: RunEnd = { outcome: 'exited', exit: { code: 0, signal: null } };
  const stopped: RunEnd = { outcome: 'stopped', exit };
  const hung: RunEnd = { outcome: 'hung', reason: 'did not answer' };
  const undead: RunEnd = { outcome: 'undead', reason: 'left processes' };
  const fatal: RunEnd = { outcome: 'fatal', error: new Error('no') };
  const said = (restart: ChildSpec['restart'], end: RunEnd, lost?: string): string => {
    const verdict = judge(childSpec('/nowhere', 'b', ['true'], { restart }), { end, tail: [], lost });
    return verdict.verdict === 'restart'
      ? `${verdict.charged ? 'charged' : 'free'}: ${verdict.reason}`
      : verdict.verdict;
  };
  assert.deepEqual(
    [stopped, crashed, hung, done, undead, fatal].map((end) => [
      said('permanent', end, 'a'),
      said('transient', end, 'a'),
      said('temporary', end, 'a'),
      said('permanent', end),
    ]),
    [
      [...Array(2).fill('free: follows a, which was started again'), 'exited', 'exited'],
      [...Array(2).fill('free: exited with code 1'), 'exited', 'charged: exited with code 1'],
      [...Array(2).fill('free: did not answer'), 'failed', 'charged: did not answer'],
      ['free: exited with code 0', 'exited', 'exited', 'charged: exited with code 0'],
      ['failed', 'failed', 'failed', 'failed'],
      ['failed', 'failed', 'failed', 'failed'],
    ],
  );
});

test('a log without line ends gives an error that can be read', () => {
  const exited: RunEnd = { outcome: 'exited', exit: { code: 1, signal: null } };
  const spec = childSpec('/nowhere', 'b', ['true'], {
    restart: 'temporary',
    fatalExit: () => new Error('no'),
  });
  const verdict = judge(spec, { end: exited, tail: ['begins', 'x'.repeat(60_000)], lost: undefined });
  assert.ok(verdict.verdict === 'failed' && verdict.error instanceof RagError);
  const [command, first, second = ''] = verdict.error.hint?.split('\n') ?? [];
  assert.deepEqual([command, first], ['tail -n 100 /nowhere/b.log', 'begins']);
  assert.match(second, /^x{400} \.\.\. x{100}$/);
});

test('at the end nothing is a failure but processes that stay', () => {
  const spec = childSpec('/nowhere', 'b', ['true']);
  const exit = { code: 1, signal: null };
  const nobody = { code: null, signal: null };
  const told = (end: RunEnd, isClosing: boolean): unknown =>
    judgeAtTheEnd(spec, { end, tail: [], lost: undefined }, isClosing);
  const stays: RunEnd = { outcome: 'undead', reason: 'left processes that SIGKILL does not end (7)' };
  assert.deepEqual(told({ outcome: 'exited', exit }, false), { verdict: 'exited', exit });
  assert.deepEqual(told({ outcome: 'stopped', exit }, true), { verdict: 'exited', exit });
  assert.deepEqual(told({ outcome: 'hung', reason: 'silent' }, true), { verdict: 'exited', exit: nobody });
  // Others may still need what a failure would end.
  assert.deepEqual(told(stays, false), { verdict: 'exited', exit: nobody });
  const verdict = judgeAtTheEnd(spec, { end: stays, tail: [], lost: undefined }, true);
  assert.match(
    verdict.verdict === 'failed' ? verdict.error.message : '',
    /b running: it left processes .* \(7\)/,
  );
});
