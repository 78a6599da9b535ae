import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { makeSidecars, type SidecarAsk } from '../../src/models/sidecar.ts';
import { watchLeaks } from '../leaks.ts';
import { makeChannel, sidecarsOf, type FakeChannel } from './sidecar-children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const { signal } = new AbortController();
/** What is never answered must fail, not hang. */
const bounded = { timeout: 10_000 };
const asking = (more: Partial<SidecarAsk> = {}): SidecarAsk => ({
  frame: { op: 'rerank', query: 'q', passages: ['one'] },
  weight: 10,
  ifNone: 'fail',
  signal,
  ...more,
});
const echo = (): FakeChannel => makeChannel(({ id }) => ({ id, scores: [1] }));
const silent = (): FakeChannel => makeChannel(() => undefined);

test('a request goes to the child with the least work under way, of requests that were cancelled too', async () => {
  const channels = [silent(), silent()];
  const sidecars = sidecarsOf(channels);
  const stop = new AbortController();
  const cancelled = sidecars.ask(asking({ weight: 100, signal: stop.signal }));
  stop.abort();
  await assert.rejects(cancelled, { code: 'aborted' });
  assert.deepEqual(sidecars.loads(), [100, 0]);
  const both = [sidecars.ask(asking({ weight: 60 })), sidecars.ask(asking({ weight: 60 }))];
  assert.deepEqual(
    channels.map(({ sent }) => sent.length),
    [1, 2],
  );
  channels.forEach((channel) => channel.sent.forEach(({ id }) => channel.say({ id, scores: [1] })));
  await Promise.all(both);
  assert.deepEqual(sidecars.loads(), [0, 0]);
});

test('a request is sent once more when its child ends, to one that lives', async () => {
  const [dying, living] = [makeChannel(() => null), echo()];
  assert.deepEqual(await sidecarsOf([dying, living]).ask(asking()), { id: 1, scores: [1] });
  assert.deepEqual([dying.sent.length, living.sent.length], [1, 1]);
});

test('a request that ends two children is given up, and one that finds none left too', async () => {
  const ended = sidecarsOf([makeChannel(() => null), makeChannel(() => null), echo()]).ask(asking());
  await assert.rejects(ended, { code: 'model-unavailable', message: /ended twice/ });
  await assert.rejects(sidecarsOf([makeChannel(() => null)]).ask(asking()), { code: 'model-unavailable' });
  await assert.rejects(sidecarsOf([]).ask(asking()), { code: 'model-unavailable' });
});

test('of two requests in the hands of a child that ends, only the one that ended it is set aside', async () => {
  const channels: FakeChannel[] = [];
  const closed = new Set<FakeChannel>();
  /** Every start is another channel; the deadly request ends it with whatever else it has in hand. */
  const start = (): void => {
    const channel = makeChannel(({ id, query }) => (query === 'deadly' ? null : { id, scores: [1] }));
    channel.onClose(() => closed.add(channel));
    channels.push(channel);
  };
  start();
  const sidecars = makeSidecars({
    ready: () => channels.slice(-1).map((channel) => ({ id: 'encoder', channel })),
    untilReady: async () => {
      if (closed.size === channels.length) start();
    },
  });
  const request = (query: string): SidecarAsk => asking({ ifNone: 'wait', frame: { op: 'rerank', query } });
  const deadly = sidecars.ask(request('deadly'));
  const innocent = sidecars.ask(request('innocent'));
  await assert.rejects(deadly, { message: /ended twice/ });
  assert.deepEqual(await innocent, { id: 2, scores: [1] });
  assert.equal(channels.length, 3);
});

test('a request that may wait is sent when a child is ready again', async () => {
  const channels: FakeChannel[] = [];
  const sidecars = makeSidecars({
    ready: () => channels.map((channel) => ({ id: 'encoder', channel })),
    untilReady: async () => void channels.push(echo()),
  });
  assert.deepEqual(await sidecars.ask(asking({ ifNone: 'wait' })), { id: 1, scores: [1] });
});

test(
  'a child that answers nothing for too long is given up, its requests are closed and it gets no more',
  bounded,
  async () => {
    const channel = silent();
    const sidecars = sidecarsOf([channel], 20);
    await assert.rejects(sidecars.ask(asking()), { code: 'model-unavailable' });
    assert.match(channel.givenUp.join(), /reranker-1 did not answer a request within 0.02 s/);
    assert.deepEqual(sidecars.loads(), []);
  },
);

test('every answer is progress: a child with a long queue is not given up', bounded, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const channel = silent();
  const sidecars = sidecarsOf([channel], 100);
  const asked = [1, 2, 3].map(() => sidecars.ask(asking()));
  for (const id of [1, 2, 3]) {
    t.mock.timers.tick(60);
    channel.say({ id, scores: [1] });
  }
  await Promise.all(asked);
  t.mock.timers.tick(1000);
  assert.deepEqual(channel.givenUp, []);
});

for (const [code, expected] of [
  ['failed', 'model-unavailable'],
  ['out-of-memory', 'model-refused'],
  ['bad-request', 'model-refused'],
] as const) {
  test(`the error "${code}" of a child is ${expected}`, async () => {
    const channel = makeChannel(({ id }) => ({ id, error: { code, message: 'why' } }));
    await assert.rejects(sidecarsOf([channel]).ask(asking()), { code: expected, message: /why/ });
  });
}

test('an answered request leaves no listener, no timer and no signal behind', async () => {
  const channel = echo();
  const sidecars = sidecarsOf([channel]);
  const ask = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) await sidecars.ask(asking());
    // What a weak reference was made of lives until the end of the turn.
    await turn();
  };
  const signals = (): number => Number(queryObjects(AbortSignal));
  await ask();
  const before = signals();
  const listeners = channel.listeners();
  await ask();
  assert.ok(signals() - before < 50, `${signals() - before} more`);
  assert.equal(channel.listeners(), listeners);
});
