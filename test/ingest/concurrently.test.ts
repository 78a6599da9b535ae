import assert from 'node:assert/strict';
import { test } from 'node:test';

import { concurrently } from '../../src/ingest/concurrently.ts';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** A gate that the test opens by hand. */
const gate = () => Promise.withResolvers<void>();

test('concurrently() gives every result once and never runs more than its limit at a time', async () => {
  let running = 0;
  let most = 0;
  const results = await collect(
    concurrently(
      Array.from({ length: 50 }, (_, index) => index),
      3,
      async (item) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return item;
      },
    ),
  );
  assert.deepEqual(
    results.sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index),
  );
  assert.equal(most, 3);
});

test('concurrently() works ahead of a slow reader, within its bound', async () => {
  let begun = 0;
  const results = concurrently(Array.from({ length: 100 }), 2, async () => (begun += 1));
  await results.next();
  await new Promise(setImmediate);
  assert.ok(begun >= 2 && begun <= 5, `${begun} were begun`);
  await results.return();
});

test('concurrently() ends with the first error, after the calls in flight have ended', async () => {
  const slow = gate();
  let slowEnded = false;
  const results = collect(
    concurrently([1, 2, 3], 2, async (item) => {
      if (item === 1) {
        await slow.promise;
        slowEnded = true;
      }
      if (item === 2) throw new Error('the second');
      return item;
    }),
  );
  setImmediate(slow.resolve);
  await assert.rejects(results, /the second/);
  assert.ok(slowEnded);
});

test('concurrently() closes its source when the reader leaves', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      for (let item = 0; ; item += 1) yield item;
    } finally {
      closed = true;
    }
  }
  for await (const item of concurrently(source(), 2, async (each) => each)) if (item > 3) break;
  assert.ok(closed);
});

test('concurrently() begins nothing while what waits for the reader is above the budget', async () => {
  let most = 0;
  let held = 0;
  const make = async (size: number): Promise<number> => {
    held += size;
    most = Math.max(most, held);
    return size;
  };
  const sizes = Array.from({ length: 200 }, (_, n) => (n % 7 === 0 ? 100 : 1));
  const results: number[] = [];
  for await (const size of concurrently(sizes, 8, make, { most: 100, sizeOf: (result) => result })) {
    // A reader that is slower than every call.
    for (let n = 0; n < 50; n += 1) await Promise.resolve();
    held -= size;
    results.push(size);
  }
  const ascending = (a: number, b: number): number => a - b;
  assert.deepEqual(results.toSorted(ascending), sizes.toSorted(ascending));
  // The budget, and what was begun just below it: of 8 calls in a row two at most are large.
  assert.ok(most <= 100 + 2 * 100 + 6, `${most} were held`);
});
