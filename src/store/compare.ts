/** Vectors against vectors, as they are stored: half floats by their bits, or single ones. */
import { halfValue } from './half.ts';
import type { Metric } from './types.ts';

export type StoredVector = Uint16Array | Float32Array;

/** What the bits of each half float stand for: to look it up takes a fifth of working it out. */
const halves = Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfValue(bits));

/** Writes the vector that begins at `from` into `out`, whose length is that of a vector. */
export function readVector(stored: StoredVector, from: number, out: Float32Array): void {
  if (stored instanceof Float32Array) out.set(stored.subarray(from, from + out.length));
  else for (let at = 0; at < out.length; at++) out[at] = halves[stored[from + at]!]!;
}

/** Higher is better. The stored vector begins at `from`. */
export type Comparison = (question: Float32Array, stored: StoredVector, from: number) => number;

/**
 * All scores that are shown are worked out here: Lance adds half floats up with an error of 0.00003 (1,024 numbers),
 * which changes the places of neighbours, and rankings of several tables are merged by their scores.
 */
export function comparison(metric: Metric): Comparison {
  const compare = metric === 'l2' ? minusDistance : dot;
  let vector = new Float32Array();
  return (question, stored, from) => {
    if (vector.length !== question.length) vector = new Float32Array(question.length);
    readVector(stored, from, vector);
    return compare(question, vector);
  };
}

/** Four sums side by side: additions that wait for each other take three times as long. */
export function dot(a: Float32Array, b: Float32Array): number {
  let [p, q, r, s] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let at = 0; at < whole; at += 4) {
    p += a[at]! * b[at]!;
    q += a[at + 1]! * b[at + 1]!;
    r += a[at + 2]! * b[at + 2]!;
    s += a[at + 3]! * b[at + 3]!;
  }
  for (let at = whole; at < a.length; at++) p += a[at]! * b[at]!;
  return p + q + r + s;
}

/** Minus the squared distance. */
export function minusDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at]! - b[at]!) ** 2;
  return -sum;
}
