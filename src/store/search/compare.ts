/** Vectors against vectors, as they are stored: half floats by their bits, or single ones. */
import type { Metric } from '../types.ts';

export type StoredVector = Uint16Array | Float32Array;

/** The vector that begins at `from`. Always in the same memory: the next one overwrites it. */
export type Read = (stored: StoredVector, from: number) => Float32Array;

/**
 * The bits of a half float, put where those of a single one are, stand for 2^-112 of its number, subnormal ones too:
 * 1,024 numbers take 2.5 us, looked up in a table 4.8, by half.ts 20.
 */
export function makeReader(dimensions: number): Read {
  const vector = new Float32Array(dimensions);
  const bits = new Int32Array(vector.buffer);
  return (stored, from) => {
    if (stored instanceof Float32Array) vector.set(stored.subarray(from, from + dimensions));
    else {
      for (let at = 0; at < dimensions; at++) {
        const half = stored[from + at]!;
        bits[at] = ((half & 0x7fff) << 13) | ((half & 0x8000) << 16);
      }
      for (let at = 0; at < dimensions; at++) vector[at] = vector[at]! * 2 ** 112;
    }
    return vector;
  };
}

/** Higher is better. The stored vector begins at `from`. */
export type Comparison = (question: Float32Array, stored: StoredVector, from: number) => number;

/**
 * All scores that are shown are worked out here: Lance adds half floats up with an error of 0.00003 (1,024 numbers),
 * which changes the places of neighbours, and rankings of several tables are merged by their scores.
 */
export function comparison(metric: Metric, dimensions: number): Comparison {
  const compare = metric === 'l2' ? minusDistance : dot;
  const read = makeReader(dimensions);
  return (question, stored, from) => compare(question, read(stored, from));
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
