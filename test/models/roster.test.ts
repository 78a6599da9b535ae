import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRoster } from '../../src/models/roster.ts';

const a = { url: 'http://127.0.0.1:1', model: 'm' };
const b = { url: 'http://127.0.0.1:2', model: 'm' };
const never = new AbortController().signal;

test('current() lets several endpoints of a role take turns', () => {
  const roster = makeRoster();
  roster.set('embed', 'one', a);
  roster.set('embed', 'two', b);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => roster.current('embed')),
    [a, b, a, b],
  );
  assert.equal(roster.current('generate'), undefined);
});

test('untilAvailable() waits until an endpoint of that role is set', async () => {
  const roster = makeRoster();
  const waits = [roster.untilAvailable('embed', never), roster.untilAvailable('embed', never)];
  roster.set('generate', 'other', b);
  roster.set('embed', 'gone', undefined);
  roster.set('embed', 'one', a);
  assert.deepEqual(await Promise.all(waits), [a, a]);
});

test('untilAvailable() ends with `aborted` when its signal does, before and during the wait', async () => {
  const roster = makeRoster();
  const stop = new AbortController();
  const wait = roster.untilAvailable('embed', stop.signal);
  stop.abort();
  await assert.rejects(wait, { code: 'aborted' });
  await assert.rejects(roster.untilAvailable('embed', stop.signal), { code: 'aborted' });
});

test('set() of undefined takes an endpoint away', () => {
  const roster = makeRoster();
  roster.set('embed', 'one', a);
  roster.set('embed', 'two', b);
  roster.set('embed', 'one', undefined);
  assert.deepEqual([roster.current('embed'), roster.current('embed')], [b, b]);
});

test('a call goes to the endpoint that has the least to do, wherever it stands in the line', () => {
  const load = new Map([
    [a.url, 2],
    [b.url, 1],
  ]);
  const roster = makeRoster((url) => load.get(url) ?? 0);
  roster.set('embed', 'one', a);
  roster.set('embed', 'two', b);
  assert.deepEqual([roster.current('embed'), roster.current('embed')], [b, b]);
  load.set(b.url, 2);
  assert.deepEqual([roster.current('embed'), roster.current('embed')], [a, b]);
});
