import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap, compare, correctedByHolm } from '../../../src/query/eval/statistics.ts';

/** Values that nobody drew: spread evenly over 0 to 1. */
const spread = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * 0.618034) % 1);

/** All assignments of signs. */
function exactP(differences: readonly number[]): number {
  const total = 2 ** differences.length;
  const sumOf = (signs: number): number =>
    differences.reduce((sum, value, at) => sum + ((signs >> at) & 1 ? value : -value), 0);
  const observed = Math.abs(differences.reduce((a, b) => a + b, 0)) - 1e-9;
  return (
    Array.from({ length: total }, (_, signs) => sumOf(signs)).filter((sum) => Math.abs(sum) >= observed)
      .length / total
  );
}

test('the interval of a mean has the width that the normal approximation gives', () => {
  const values = spread(400);
  const mean = values.reduce((a, b) => a + b, 0) / 400;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400);
  const interval = bootstrap(values, 1);
  assert.equal(interval.mean, mean);
  const half = (1.96 * deviation) / Math.sqrt(400);
  assert.ok(Math.abs(interval.low - (mean - half)) < 0.1 * half, `${interval.low}`);
  assert.ok(Math.abs(interval.high - (mean + half)) < 0.1 * half, `${interval.high}`);
});

test('p is that of all assignments of signs, within what 10,000 of them can tell', () => {
  const first = [0.9, 0.5, 0.7, 0.4, 1, 0.3, 0.8, 0.6, 0.2, 0.75, 0.5, 0.5];
  const second = [0.7, 0.55, 0.4, 0.4, 0.6, 0.35, 0.5, 0.5, 0.3, 0.5, 0.5, 0.2];
  const exact = exactP(first.map((value, at) => value - (second[at] ?? 0)));
  assert.ok(exact > 0.001 && exact < 0.1, `a case that tells something: ${exact}`);
  const { p, mean } = compare(first, second, 7);
  assert.ok(Math.abs(p - exact) < 0.006, `${p}, exactly ${exact}`);
  assert.ok(Math.abs(mean - 1.65 / 12) < 1e-9, `${mean}`);
  assert.equal(compare(second, first, 7).p, p, 'two-sided');
});

test('equal rankings differ by nothing, and quite unequal ones beyond doubt', () => {
  const values = spread(50);
  assert.deepEqual(compare(values, values, 1), { mean: 0, low: 0, high: 0, p: 1 });
  const better = values.map((value) => value + 0.1);
  assert.ok(compare(better, values, 1).p < 0.001);
});

test('the same seed gives the same numbers, another one nearly the same', () => {
  const values = spread(30);
  assert.deepEqual(bootstrap(values, 5), bootstrap(values, 5));
  const [one, other] = [bootstrap(values, 5), bootstrap(values, 6)];
  assert.notEqual(one.low, other.low);
  assert.ok(Math.abs(one.low - other.low) < 0.02);
});

test('no values have no interval that could mislead, and one value is its own', () => {
  assert.deepEqual(bootstrap([], 1), { mean: 0, low: 0, high: 0 });
  assert.deepEqual(bootstrap([0.5], 1), { mean: 0.5, low: 0.5, high: 0.5 });
});

test("Holm's correction multiplies the smallest p most and keeps the order", () => {
  assert.deepEqual(
    correctedByHolm([0.04, 0.01, 0.03, 0.9]).map((p) => Math.round(p * 1000) / 1000),
    [0.09, 0.04, 0.09, 0.9],
  );
  assert.deepEqual(correctedByHolm([]), []);
});
