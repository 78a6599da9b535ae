import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { makeLine } from '../../../src/serve/gateway/line.ts';

const drain = <T>(line: { next(): T | undefined }): T[] => {
  const out: T[] = [];
  for (let one = line.next(); one !== undefined; one = line.next()) out.push(one);
  return out;
};

test('callers take turns, each in the order of its own requests', () => {
  const line = makeLine<string>(10);
  for (const waiting of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) line.add(waiting[0] ?? '', waiting);
  assert.deepEqual(drain(line), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('one who comes while another waits for a thousand is next but one', () => {
  const line = makeLine<string>(2000);
  for (let n = 0; n < 1000; n += 1) line.add('many', `m${n}`);
  line.next();
  line.add('one', 'o');
  assert.deepEqual([line.next(), line.next()], ['m1', 'o']);
});

test('a full line refuses the last of the longest queue in favour of who has few', () => {
  const line = makeLine<string>(3);
  for (const waiting of ['a1', 'a2', 'a3']) assert.equal(line.add('a', waiting), undefined);
  assert.equal(line.add('a', 'a4'), 'a4');
  assert.equal(line.add('b', 'b1'), 'a3');
  assert.equal(line.add('c', 'c1'), 'a2');
  assert.equal(line.add('b', 'b2'), 'b2', 'of equals the one that comes is refused');
  assert.deepEqual(drain(line), ['a1', 'b1', 'c1']);
});

test('who is put back is next of its caller, however full it is; who leaves is gone', () => {
  const line = makeLine<string>(2);
  line.add('a', 'a1');
  line.add('a', 'a2');
  line.putBack('a', 'a0');
  assert.equal(line.size, 3);
  line.remove('a', 'a1');
  line.remove('a', 'a1');
  line.remove('b', 'a2');
  assert.deepEqual([line.size, ...drain(line), line.size], [2, 'a0', 'a2', 0]);
});

type Step = readonly ['add', string] | readonly ['next'];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('add' as const), fc.constantFrom('a', 'b', 'c', 'd')),
  fc.tuple(fc.constant('next' as const)),
);

test('nobody is lost or doubled, no more wait than may, and between two turns of one caller all others had theirs', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, most) => {
      const line = makeLine<{ caller: string; n: number }>(most);
      const inside = new Map<string, number>();
      const change = (caller: string, by: number): void =>
        void inside.set(caller, (inside.get(caller) ?? 0) + by);
      let n = 0;
      /** Callers that had a turn since each of those that wait came or had its last. */
      const passed = new Map<string, string[]>();
      for (const [what, caller = ''] of steps) {
        if (what === 'add') {
          if ((inside.get(caller) ?? 0) === 0) passed.set(caller, []);
          change(caller, 1);
          const refused = line.add(caller, { caller, n: n++ });
          if (refused !== undefined) change(refused.caller, -1);
        } else {
          const next = line.next();
          if (next === undefined) continue;
          change(next.caller, -1);
          passed.set(next.caller, []);
          for (const [other, had] of passed) {
            if (other === next.caller || (inside.get(other) ?? 0) === 0) continue;
            assert.ok(!had.includes(next.caller), `${next.caller} had two turns while ${other} waited`);
            had.push(next.caller);
          }
        }
        const waiting = [...inside.values()].reduce((sum, each) => sum + each, 0);
        assert.equal(line.size, waiting);
        assert.ok(line.size <= most);
      }
    }),
  );
});
