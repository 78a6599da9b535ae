import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFairTurns } from '../../../src/serve/gateway/turns.ts';

const full = { status: 429, code: 'busy', message: 'Cannot: full' };
const { signal } = new AbortController();

/** Work that lasts until it is let go, by name. */
function makeWorks() {
  const gates = new Map<string, () => void>();
  const begun: string[] = [];
  return {
    begun,
    work: (name: string) => (): Promise<string> => {
      begun.push(name);
      return new Promise((resolve) => gates.set(name, () => resolve(name)));
    },
    finish: async (name: string): Promise<void> => {
      gates.get(name)?.();
      await new Promise(setImmediate);
    },
  };
}

test('so many at once, and the next when one is done; callers take turns', async () => {
  const { work, finish, begun } = makeWorks();
  const turns = makeFairTurns(2, 9, full);
  const all = ['a1', 'a2', 'a3', 'a4', 'b1'].map((name) => turns.take(name[0] ?? '', signal, work(name)));
  await new Promise(setImmediate);
  assert.deepEqual(begun, ['a1', 'a2']);
  await finish('a2');
  await finish('a1');
  assert.deepEqual(begun, ['a1', 'a2', 'a3', 'b1']);
  for (const name of ['a3', 'b1', 'a4']) await finish(name);
  assert.deepEqual(await Promise.all(all), ['a1', 'a2', 'a3', 'a4', 'b1']);
});

test('work that fails gives its turn to the next; who finds the line full is refused', async () => {
  const turns = makeFairTurns(1, 1, full);
  const { work, finish } = makeWorks();
  const fail = async (): Promise<never> => {
    await work('first')();
    throw new Error('it failed');
  };
  const failing = assert.rejects(turns.take('a', signal, fail), /it failed/);
  const next = turns.take('a', signal, work('second'));
  await assert.rejects(turns.take('a', signal, work('third')), { problem: full });
  await finish('first');
  await failing;
  await finish('second');
  assert.equal(await next, 'second');
});

test('who leaves the line never begins', async () => {
  const turns = makeFairTurns(1, 9, full);
  const { work, finish, begun } = makeWorks();
  const leaves = new AbortController();
  const first = turns.take('a', signal, work('first'));
  const second = turns.take('a', leaves.signal, work('second'));
  const third = turns.take('a', signal, work('third'));
  leaves.abort();
  await assert.rejects(second, { code: 'aborted' });
  await assert.rejects(turns.take('a', leaves.signal, work('fourth')), { code: 'aborted' });
  await finish('first');
  await finish('third');
  assert.deepEqual([await first, await third, begun], ['first', 'third', ['first', 'third']]);
});
