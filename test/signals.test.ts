import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, beforeEach, mock, test } from 'node:test';

import { listenForStop, type StopReason } from '../src/signals.ts';

const ended: number[] = [];
let now = 0;
mock.method(performance, 'now', () => now);
after(() => mock.restoreAll());
beforeEach(() => {
  ended.length = 0;
  now = 0;
});

/** Signals at times, as the process would get them. */
function send(...signals: [StopReason['signal'], number][]): AbortSignal {
  const source = new EventEmitter();
  const { signal, close } = listenForStop((code) => ended.push(code), source);
  for (const [name, atMs] of signals) {
    now = atMs;
    source.emit(name);
  }
  close();
  return signal;
}

const reasonOf = (signal: AbortSignal): StopReason => signal.reason as StopReason;

test('the TERM after the wall-time warning says that the time is over', () => {
  assert.equal(reasonOf(send(['SIGUSR2', 0], ['SIGUSR2', 100])).over.aborted, false);
  assert.equal(reasonOf(send(['SIGUSR2', 0], ['SIGTERM', 100])).over.aborted, true);
  assert.equal(reasonOf(send(['SIGTERM', 0], ['SIGTERM', 100])).over.aborted, false);
});

test('the first signal stops, the second ends at once with 128 + n', () => {
  assert.equal(reasonOf(send(['SIGTERM', 0])).signal, 'SIGTERM');
  assert.deepEqual(ended, []);
  send(['SIGINT', 0], ['SIGINT', 1000]);
  assert.deepEqual(ended, [130]);
});

test('one cause that arrives twice counts once', () => {
  send(['SIGTERM', 0], ['SIGTERM', 100], ['SIGINT', 400]);
  assert.deepEqual(ended, []);
});

test('the TERM at the limit, after the wall-time warning, is not a second request', () => {
  const signal = send(['SIGUSR2', 0], ['SIGTERM', 60_000], ['SIGUSR2', 60_100]);
  assert.equal(reasonOf(signal).signal, 'SIGUSR2');
  assert.deepEqual(ended, []);
  send(['SIGUSR2', 0], ['SIGTERM', 60_000], ['SIGTERM', 62_000]);
  assert.deepEqual(ended, [143]);
});
