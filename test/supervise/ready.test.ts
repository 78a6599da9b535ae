import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilReady } from '../../src/supervise/ready.ts';
import type { ChildSpec, ProbeResult, Running } from '../../src/supervise/spec.ts';

const running: Running = {
  pid: 1,
  launch: { command: ['true'], env: {}, cwd: '/' },
  channel: undefined,
  logTail: () => [],
};
const never = new Promise<never>(() => undefined);
const calm = new AbortController().signal;
const readiness = (
  probe: ChildSpec['readiness']['probe'],
  rest: Partial<ChildSpec['readiness']> = {},
): ChildSpec['readiness'] => ({ periodMs: 1, timeoutMs: 30, probe, ...rest });
const notYet = (): Promise<ProbeResult> => Promise.resolve({ outcome: 'not-yet', reason: 'still loading' });

test('it asks again until the probe says ready; a probe that throws has found nothing yet', async () => {
  let asked = 0;
  const probe = (): Promise<ProbeResult> => {
    asked += 1;
    if (asked === 1) throw new Error('connection refused');
    return asked < 4 ? notYet() : Promise.resolve({ outcome: 'ready' });
  };
  assert.deepEqual(await untilReady(readiness(probe, { timeoutMs: 5000 }), running, never, calm), {
    outcome: 'ready',
  });
  assert.equal(asked, 4);
});

test('a start that does not move times out and says what the probe saw last', async () => {
  const result = await untilReady(readiness(notYet), running, never, calm);
  assert.equal(result.outcome, 'timed-out');
  assert.match(result.outcome === 'timed-out' ? result.reason : '', /still loading/);
});

test('a probe that never answers is told to stop when the time is over', async () => {
  let told: AbortSignal | undefined;
  const probe = (_: Running, signal: AbortSignal): Promise<never> => {
    told = signal;
    return never;
  };
  assert.equal((await untilReady(readiness(probe), running, never, calm)).outcome, 'timed-out');
  assert.equal(told?.aborted, true);
});

test('progress gives more time, but not for ever', async () => {
  let bytes = 0;
  const start = performance.now();
  const result = await untilReady(readiness(notYet, { progress: () => (bytes += 1) }), running, never, calm);
  assert.equal(result.outcome, 'timed-out');
  assert.ok(performance.now() - start > 4 * 30);
});

test('who is told when to ask again waits that long, again and again, and stalls only after that', async () => {
  let asked = 0;
  const told = (): Promise<ProbeResult> => {
    asked += 1;
    return asked <= 3
      ? Promise.resolve({ outcome: 'not-yet', reason: 'an ingest comes first', askAgainMs: 100 })
      : notYet();
  };
  const start = performance.now();
  const result = await untilReady(readiness(told), running, never, calm);
  assert.equal(result.outcome, 'timed-out');
  assert.match(result.outcome === 'timed-out' ? result.reason : '', /still loading/);
  assert.ok(performance.now() - start >= 300, 'longer than ten times its own time');
  assert.ok(asked > 4);
});

test('an exit, an abort and a fatal finding end the wait under their own names', async () => {
  const waiting = readiness(notYet, { timeoutMs: 60_000 });
  assert.equal((await untilReady(waiting, running, Promise.resolve(), calm)).outcome, 'exited');
  assert.equal((await untilReady(waiting, running, never, AbortSignal.abort())).outcome, 'aborted');
  const error = new Error('no such model');
  const fatal = (): Promise<ProbeResult> => Promise.resolve({ outcome: 'fatal', error });
  assert.deepEqual(await untilReady(readiness(fatal), running, never, calm), { outcome: 'fatal', error });
});

test('an hour in which Slurm has suspended the job is no time that the start took', async (t) => {
  let suspendedMs = 0;
  const clock = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => clock() + suspendedMs);
  let asked = 0;
  const probe = (): Promise<ProbeResult> => {
    asked += 1;
    if (asked === 2) suspendedMs = 3_600_000;
    return asked < 20 ? notYet() : Promise.resolve({ outcome: 'ready' });
  };
  const waiting = readiness(probe, { timeoutMs: 5000, progress: () => 0 });
  assert.deepEqual(await untilReady(waiting, running, never, calm), { outcome: 'ready' });
});
