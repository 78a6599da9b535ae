import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { makeRerank } from '../../src/models/rerank.ts';
import type { RerankChannel } from '../../src/models/rerank.ts';

const { signal } = new AbortController();
const passages = ['one', 'two'];

interface Sent {
  readonly id: number;
  readonly op: string;
  readonly passages: string[];
}

/** A child that answers with what `reply` makes of a frame; null: it closes its channel instead. */
function makeChannel(
  reply: (frame: Sent) => object | null | undefined,
): RerankChannel & { sent: Sent[]; listeners(): number } {
  const messages = new Set<(message: unknown) => void>();
  const closes = new Set<() => void>();
  const sent: Sent[] = [];
  const subscribe = <T>(set: Set<T>, listener: T): (() => void) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  return {
    sent,
    listeners: () => messages.size + closes.size,
    onMessage: (listener) => subscribe(messages, listener),
    onClose: (listener) => subscribe(closes, listener),
    send(message) {
      const frame = message as Sent;
      sent.push(frame);
      queueMicrotask(() => {
        const answer = reply(frame);
        if (answer === null) closes.forEach((listener) => listener());
        else if (answer !== undefined) messages.forEach((listener) => listener(answer));
      });
    },
  };
}

test('rerank() sends one frame and reads the scores of its own id', async () => {
  const channel = makeChannel(({ id, passages }) => ({ id, scores: passages.map((_, at) => at / 10) }));
  const rerank = makeRerank({ channel: async () => channel });
  const both = [
    rerank({ query: 'q', passages, signal }),
    rerank({ query: 'q', passages: ['a', 'b', 'c'], signal }),
  ];
  assert.deepEqual(await Promise.all(both), [
    [0, 0.1],
    [0, 0.1, 0.2],
  ]);
  assert.deepEqual(channel.sent[0], { id: 1, op: 'rerank', query: 'q', passages });
  assert.equal(channel.listeners(), 0);
});

test('rerank() of no passages asks nobody', async () => {
  const rerank = makeRerank({ channel: () => Promise.reject(new Error('asked')) });
  assert.deepEqual(await rerank({ query: 'q', passages: [], signal }), []);
});

for (const [what, reply] of [
  ['too few scores', { scores: [1] }],
  ['a score that is not a number', { scores: [1, null] }],
  ['a score over 1', { scores: [1, 1.5] }],
  ['an error', { error: 'out of memory' }],
] as const) {
  test(`rerank() refuses ${what}`, async () => {
    const rerank = makeRerank({ channel: async () => makeChannel(({ id }) => ({ id, ...reply })) });
    await assert.rejects(rerank({ query: 'q', passages, signal }), { code: 'model-unavailable' });
  });
}

test('rerank() is sent once more when the child ends with the request in its hands', async () => {
  const dead = makeChannel(() => null);
  // The dead one is offered once more: its exit is noticed later than the end of its pipe.
  const channels = [dead, dead, makeChannel(({ id }) => ({ id, scores: [1, 0] }))];
  const rerank = makeRerank({ channel: async () => channels.shift()! });
  assert.deepEqual(await rerank({ query: 'q', passages, signal }), [1, 0]);
});

test('rerank() gives up when it ended two children', async () => {
  const rerank = makeRerank({ channel: async () => makeChannel(() => null) });
  await assert.rejects(rerank({ query: 'q', passages, signal }), {
    code: 'model-unavailable',
    message: /ended twice/,
  });
});

test('rerank() is bounded and can be cancelled', async () => {
  const channel = makeChannel(() => undefined);
  await assert.rejects(
    makeRerank({ channel: async () => channel, timeoutMs: 20 })({ query: 'q', passages, signal }),
    {
      code: 'model-unavailable',
      message: /no answer came/,
    },
  );
  const stop = new AbortController();
  const waiting = makeRerank({ channel: async () => channel })({ query: 'q', passages, signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { code: 'aborted' });
  assert.equal(channel.listeners(), 0);
});

test('an answered rerank() leaves no timer and no signal behind', async () => {
  const channel = makeChannel(({ id }) => ({ id, scores: [1, 0] }));
  const rerank = makeRerank({ channel: async () => channel });
  const ask = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) await rerank({ query: 'q', passages, signal });
    // What a weak reference was made of lives until the end of the turn.
    await turn();
  };
  const signals = (): number => Number(queryObjects(AbortSignal));
  await ask();
  const before = signals();
  await ask();
  assert.ok(signals() - before < 50, `${signals() - before} more`);
});
