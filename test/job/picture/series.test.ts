import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  addUse,
  afterGap,
  idleAfterSeconds,
  idleBelow,
  unused,
  type GpuUsage,
} from '../../../src/job/picture/idle.ts';
import {
  addLatencies,
  addLatency,
  countOf,
  latencyAt,
  noLatencies,
} from '../../../src/job/picture/latencies.ts';
import {
  addSample,
  type Amounts,
  firstStepMs,
  noAmounts,
  noSeries,
  type Sample,
  type Series,
} from '../../../src/job/picture/series.ts';

/** Whole numbers: sums of them do not depend on their order. */
const sample = fc
  .record({
    wait: fc.oneof(fc.constant(firstStepMs), fc.integer({ min: -20_000, max: 3_000_000 })),
    seconds: fc.integer({ min: 1, max: 15 }),
    documents: fc.nat(1000),
    questions: fc.dictionary(fc.constantFrom('3', '11', '20'), fc.nat(50)),
    use: fc.dictionary(fc.constantFrom('GPU-a', 'GPU-b'), fc.nat(1)),
  })
  .map(({ wait, seconds, documents, questions, use }) => ({
    wait,
    sample: {
      seconds,
      documents,
      failed: documents % 7,
      chunks: 3 * documents,
      tokens: 5 * documents,
      questions,
      retrievals: questions,
      queueSeconds: seconds,
      gpus: Object.fromEntries(
        Object.entries(use).map(([id, busy]) => [
          id,
          { seconds, useSeconds: busy * seconds, memoryBytes: documents },
        ]),
      ),
    },
  }));

function samplesAt(
  parts: readonly { readonly wait: number; readonly sample: Omit<Sample, 'at'> }[],
): Sample[] {
  let at = 1_700_000_000_000;
  return parts.map(({ wait, sample: each }) => ({ ...each, at: (at += wait) }));
}

const build = (samples: readonly Sample[], most: number): Series =>
  samples.reduce((series, each) => addSample(series, each, most), noSeries);

test('a series of any length has a bounded number of points in the order of time, each at a multiple of the step', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 120 }), fc.integer({ min: 2, max: 20 }), (parts, most) => {
      const { points, stepMs } = build(samplesAt(parts), most);
      assert.ok(points.length <= most);
      for (const [index, { at }] of points.entries()) {
        assert.equal(at % stepMs, 0);
        assert.ok(index === 0 || at > (points[index - 1]?.at ?? 0));
      }
    }),
  );
});

test('however often points are merged, nothing that was counted is lost or doubled', () => {
  // Added up here field by field, and not by what is tested.
  const total = (all: readonly Amounts[]): Record<string, number> => {
    const sums: Record<string, number> = {};
    const add = (name: string, value: number): void => void (sums[name] = (sums[name] ?? 0) + value);
    for (const { questions, retrievals, seconds, documents, failed, chunks, tokens, queueSeconds } of all) {
      for (const [name, value] of Object.entries({
        seconds,
        documents,
        failed,
        chunks,
        tokens,
        queueSeconds,
      }))
        add(name, value);
      for (const [bucket, count] of Object.entries(questions)) add(`question ${bucket}`, count);
      for (const [bucket, count] of Object.entries(retrievals)) add(`retrieval ${bucket}`, count);
    }
    return sums;
  };
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 120 }), fc.integer({ min: 2, max: 20 }), (parts, most) => {
      const samples = samplesAt(parts);
      const { points } = build(samples, most);
      assert.deepEqual(total(points), total(samples));
      for (const id of ['GPU-a', 'GPU-b']) {
        const told = (all: readonly Sample[]): number[] =>
          all.flatMap(({ gpus }) => gpus[id] ?? []).map(({ useSeconds }) => useSeconds);
        const most = (all: readonly Sample[]): number =>
          Math.max(0, ...all.flatMap(({ gpus }) => gpus[id]?.memoryBytes ?? []));
        const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
        assert.equal(sum(told(points)), sum(told(samples)));
        assert.equal(most(points), most(samples));
      }
    }),
  );
});

test('merging as one goes gives what one would have with the coarser step from the beginning', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 80 }), fc.integer({ min: 2, max: 12 }), (parts, most) => {
      // A clock that is set back makes the two differ in where a sample counts.
      const samples = samplesAt(parts.map((part) => ({ ...part, wait: Math.abs(part.wait) })));
      const merged = build(samples, most);
      const coarse = samples.reduce((series, each) => addSample(series, each, 10_000), {
        stepMs: merged.stepMs,
        points: [],
      } as Series);
      assert.deepEqual(merged, coarse);
    }),
  );
});

test('a day of looks every five seconds fits in 600 points', () => {
  let series = noSeries;
  for (let at = 0; at < 86_400_000; at += firstStepMs)
    series = addSample(series, { ...noAmounts, seconds: 5, chunks: 100, at, gpus: {} });
  assert.ok(series.points.length > 300 && series.points.length <= 600, String(series.points.length));
  assert.equal(
    series.points.reduce((sum, { chunks }) => sum + chunks, 0),
    17_280 * 100,
  );
});

test('latencies add up, and a percentile is off by a fifth at most', () => {
  const durations = fc.array(fc.double({ min: 1e-4, max: 3600, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      durations,
      durations,
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (some, others, share) => {
        const of = (seconds: readonly number[]) =>
          seconds.reduce((sum, each) => addLatency(sum, each), noLatencies);
        const all = of([...some, ...others]);
        assert.deepEqual(addLatencies(of(some), of(others)), all);
        assert.equal(countOf(all), some.length + others.length);
        const sorted = [...some, ...others].toSorted((a, b) => a - b);
        const exact = (sorted[Math.ceil(share * sorted.length - 1e-9) - 1] ?? sorted[0] ?? 0) * 1000;
        const told = latencyAt(all, share) ?? assert.fail();
        assert.ok(told / exact < 1.2 && exact / told < 1.2, `${told} for ${exact}`);
      },
    ),
  );
  assert.equal(latencyAt(noLatencies, 0.5), null);
});

/** The rule, said as plainly as it can be: of every quiet stretch that is long enough, all of it. */
function idleByRule(looks: readonly (readonly [use: number, seconds: number])[]): number {
  let [idle, quiet] = [0, 0];
  for (const [use, seconds] of [...looks, [1, 0] as const])
    if (use < idleBelow) quiet += seconds;
    else {
      if (quiet >= idleAfterSeconds) idle += quiet;
      quiet = 0;
    }
  return idle;
}

test('a GPU is idle in quiet stretches that are long enough, from their beginning, and in no other', () => {
  const look = fc.tuple(fc.constantFrom(0, 0.02, 0.049, 0.05, 0.9), fc.integer({ min: 1, max: 60 }));
  fc.assert(
    fc.property(fc.array(look, { maxLength: 200 }), (looks) => {
      let usage: GpuUsage = unused;
      for (const [use, seconds] of looks) {
        const next = addUse(usage, use, seconds);
        assert.ok(next.idleSeconds >= usage.idleSeconds);
        assert.ok(next.idleSeconds <= next.watchedSeconds);
        usage = next;
      }
      assert.equal(usage.idleSeconds, idleByRule(looks));
      assert.equal(
        usage.watchedSeconds,
        looks.reduce((sum, [, seconds]) => sum + seconds, 0),
      );
    }),
  );
});

test('what was quiet before a gap says nothing of what comes after it', () => {
  const before = addUse(unused, 0, idleAfterSeconds - 1);
  assert.equal(addUse(before, 0, 1).idleSeconds, idleAfterSeconds);
  assert.equal(addUse(afterGap(before), 0, 1).idleSeconds, 0);
});
