import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inPortions, type Portion, type PortionItem, type Portions } from '../../src/ingest/portions.ts';

const never = new AbortController().signal;

async function* items(name: string, count = 1): AsyncGenerator<PortionItem> {
  for (let n = 0; n < count; n += 1) yield { kind: 'file', key: `${name}${n}`, path: name };
}

const portionsOf = (read: (signal: AbortSignal) => AsyncIterable<Portion>): Portions => ({
  read,
  count: () => Promise.resolve(null),
});

async function take(source: AsyncIterable<PortionItem>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of source) keys.push(key);
  return keys;
}

test('the next portion begins while the end of the one before is still under way, and not a third', async () => {
  const told: string[] = [];
  const ends = new Map(['a', 'b', 'c'].map((name) => [name, Promise.withResolvers<void>()]));
  const portions = portionsOf(async function* read() {
    for (const name of ends.keys()) {
      told.push(`read ${name}`);
      yield {
        items: items(name),
        done: () => {
          told.push(`done ${name}`);
          return Promise.resolve();
        },
      };
    }
  });
  const work = inPortions(portions, never, async (some) => {
    const [key = ''] = await take(some);
    told.push(`taken ${key}`);
    await ends.get(key.slice(0, 1))?.promise;
  });
  await turn(); // nothing here waits for anything but promises: all that can happen has happened
  assert.deepEqual(told.toSorted(), ['read a', 'read b', 'taken a0', 'taken b0']);
  for (const { resolve } of ends.values()) resolve();
  await work;
  assert.deepEqual(told.slice(4).toSorted(), ['done a', 'done b', 'done c', 'read c', 'taken c0']);
});

/** Rejects when the signal is aborted, and notes it. */
const untilAborted = (signal: AbortSignal, what: string, stopped: string[]): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      stopped.push(what);
      reject(new Error(what));
    });
  });

test('the first failure stops the portion beside it, and is thrown', async () => {
  const stopped: string[] = [];
  const done: string[] = [];
  const portions = portionsOf(async function* read() {
    for (const name of ['a', 'b', 'c']) {
      yield { items: items(name), done: () => Promise.resolve(void done.push(name)) };
    }
  });
  const failing = inPortions(portions, never, async (some, signal) => {
    const [key] = await take(some);
    if (key === 'a0') await untilAborted(signal, 'a', stopped);
    throw new Error('no model');
  });
  await assert.rejects(failing, { message: 'no model' });
  assert.deepEqual([stopped, done], [['a'], []]);
});

test('a failure ends the wait for a further portion', async () => {
  const stopped: string[] = [];
  const waiting = Promise.withResolvers<void>();
  const portions = portionsOf(async function* read(signal) {
    yield { items: items('a'), done: () => Promise.resolve() };
    waiting.resolve();
    await untilAborted(signal, 'the wait', stopped);
  });
  const failing = inPortions(portions, never, async (some) => {
    await take(some);
    await waiting.promise;
    throw new Error('no model');
  });
  await assert.rejects(failing, { message: 'no model' });
  assert.deepEqual(stopped, ['the wait']);
});

test('an error of the listing is thrown as it is', async () => {
  const portions = portionsOf(async function* read() {
    await Promise.reject(new Error('no input'));
    yield { items: items('a'), done: () => Promise.resolve() };
  });
  await assert.rejects(
    inPortions(portions, never, async (some) => void (await take(some))),
    { message: 'no input' },
  );
});
