/** What the client does between a request and its answer, against a channel that stands for the host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { openStore } from '../../../src/store/wire/client.ts';
import type { Request } from '../../../src/store/wire/protocol.ts';
import type { Store } from '../../../src/store/types.ts';
import type { Channel } from '../../../src/supervise/spec.ts';
import { encoder } from '../samples.ts';

interface Fake {
  readonly store: Store & AsyncDisposable;
  readonly sent: Request[];
}

/** @param valueOf what a request is answered with; `never` leaves it open */
function openFake(valueOf: (request: Request) => unknown, timeoutMs?: number): Fake {
  const sent: Request[] = [];
  let listener: (message: unknown) => void = () => undefined;
  const channel: Channel = {
    send: (message) => {
      const request = message as Request;
      sent.push(request);
      const value = valueOf(request);
      if (value !== never) queueMicrotask(() => listener({ id: request.id, ok: true, value }));
    },
    onMessage: (heard) => {
      listener = heard;
      return () => undefined;
    },
    onClose: () => () => undefined,
    giveUp: () => undefined,
    onGivenUp: () => () => undefined,
  };
  const { signal } = new AbortController();
  const bound = timeoutMs === undefined ? {} : { timeoutMs };
  return { store: openStore({ untilChannel: async () => channel, signal, ...bound }), sent };
}

const signals = (): number => Number(queryObjects(AbortSignal));

const never = Symbol('never');
/** A wait that should end must fail, not hang. */
const bounded = { timeout: 5_000 };

test(
  'a consolidation can be cancelled: the client stops waiting, other requests go on',
  bounded,
  async () => {
    const { store, sent } = openFake(({ op }) => (op === 'consolidate' ? never : new Map()));
    await using _ = store;
    const cancelling = new AbortController();
    const consolidated = store.consolidate(cancelling.signal);
    const other = store.consolidate();
    const known = store.known(['a']);
    await turn();
    assert.deepEqual(sent[0]?.args, [], 'a signal cannot travel');
    cancelling.abort();
    await assert.rejects(consolidated, {
      code: 'aborted',
      message: 'Cannot consolidate: the work was cancelled',
    });
    await assert.rejects(store.consolidate(cancelling.signal), { code: 'aborted' });
    assert.deepEqual(await known, new Map());
    await store[Symbol.asyncDispose]();
    await assert.rejects(other, { code: 'aborted' });
  },
);

test('a host that does not answer in time is named', bounded, async () => {
  const { store } = openFake(() => never, 20);
  await using _ = store;
  await assert.rejects(store.inspect(), { code: 'service-failed', message: /did not answer in time/ });
});

test('an answered request leaves no timer and no signal behind', async () => {
  const { store } = openFake(() => null);
  await using _ = store;
  const ask = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) await store.inspect();
  };
  await ask();
  const before = signals();
  await ask();
  assert.ok(signals() - before < 50, `${signals() - before} more`);
});

test('what the index was made by is asked until it is known, then never again', bounded, async () => {
  const answers = [null, encoder];
  const { store, sent } = openFake(() => answers.shift());
  await using _ = store;
  assert.equal(await store.encoder(), null);
  assert.deepEqual(await store.encoder(), encoder);
  assert.deepEqual(await store.encoder(), encoder);
  assert.equal(sent.length, 2);
});
