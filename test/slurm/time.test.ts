import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimeLeft, readTimeLeft } from '../../src/slurm/time.ts';
import { makeFakeTools, slurmJob } from './fake-tools.ts';

const now = new Date('2026-03-01T12:00:00Z');
const clock = (): Date => now;
const inSeconds = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

const durations: ReadonlyArray<readonly [string, number]> = [
  ['1-02:03:04', 93_784],
  ['02:03:04', 7384],
  ['10:00', 600],
  ['3:04', 184],
  ['0:00', 0],
];
for (const [text, seconds] of durations) {
  test(`squeue's time left ${text} is ${seconds} seconds`, () => {
    assert.deepEqual(parseTimeLeft(`${text}|N/A\n`, now), { kind: 'limited', endsAt: inSeconds(seconds) });
  });
}

test('UNLIMITED is unlimited, whatever the end says', () => {
  assert.deepEqual(parseTimeLeft('UNLIMITED|2026-03-01T13:00:00', now), { kind: 'unlimited' });
});

test('an INVALID time left is read from the end date', () => {
  const endsAt = new Date(2026, 2, 1, 13, 30, 0);
  assert.deepEqual(parseTimeLeft('INVALID|2026-03-01T13:30:00', now), { kind: 'limited', endsAt });
});

for (const line of [
  'INVALID|N/A',
  'NOT_SET|NONE',
  'INVALID|2026-13-45T99:99:99',
  '',
  'slurm_load_jobs error',
]) {
  test(`squeue's ${JSON.stringify(line)} leaves the time unknown`, () => {
    assert.equal(parseTimeLeft(line, now).kind, 'unknown');
  });
}

test('a local job has no time limit', async () => {
  await using tools = await makeFakeTools({});
  const left = await readTimeLeft({ ...slurmJob, kind: 'local' }, { ...tools.options, now: clock });
  assert.deepEqual(left, { kind: 'unlimited' });
});

test('squeue is asked about this task alone and wins over the snapshot in the environment', async () => {
  const squeue = '[ "$*" = "-h -j 40_7 -o %L|%e" ] && [ "$SLURM_TIME_FORMAT" = standard ] && echo "5:00|N/A"';
  await using tools = await makeFakeTools(
    { squeue },
    { env: { SLURM_JOB_END_TIME: '1', SLURM_TIME_FORMAT: '%a' } },
  );
  const job = { ...slurmJob, arrayJob: '40', task: '7' };
  const left = await readTimeLeft(job, { ...tools.options, env: { ...tools.options.env }, now: clock });
  assert.deepEqual(left, { kind: 'limited', endsAt: inSeconds(300) });
});

test('a failing squeue leaves the snapshot, or nothing, but never an error', async () => {
  await using tools = await makeFakeTools({
    squeue: 'echo "Unable to contact slurm controller" >&2; exit 1',
  });
  const left = await readTimeLeft(slurmJob, { ...tools.options, now: clock });
  assert.deepEqual(left, { kind: 'unknown', reason: 'squeue: Unable to contact slurm controller' });
  const env = { ...tools.options.env, SLURM_JOB_END_TIME: '1772370000' };
  const snapshot = await readTimeLeft(slurmJob, { ...tools.options, env, now: clock });
  assert.deepEqual(snapshot, { kind: 'limited', endsAt: new Date(1_772_370_000_000) });
});

test('a missing squeue leaves the time unknown', async () => {
  await using tools = await makeFakeTools({});
  const left = await readTimeLeft(slurmJob, { ...tools.options, now: clock });
  assert.deepEqual(left, { kind: 'unknown', reason: 'squeue is not on PATH' });
});

test('a squeue that hangs is given up within its bound, and so are the children of a wrapper', async () => {
  // The wrapper's child holds the output open and ignores TERM.
  await using tools = await makeFakeTools({ squeue: `trap '' TERM; /bin/sleep 30` }, { timeoutMs: 200 });
  const started = performance.now();
  const left = await readTimeLeft(slurmJob, { ...tools.options, now: clock });
  assert.deepEqual(left, { kind: 'unknown', reason: 'squeue did not answer in 200 ms' });
  assert.ok(performance.now() - started < 10_000);
});

test('an aborted wait for squeue ends at once', async () => {
  const abort = new AbortController();
  await using tools = await makeFakeTools({ squeue: '/bin/sleep 30' }, { signal: abort.signal });
  const waiting = readTimeLeft(slurmJob, { ...tools.options, now: clock });
  abort.abort();
  assert.deepEqual(await waiting, { kind: 'unknown', reason: 'squeue was no longer needed' });
});
