/** How sure a mean is, and whether two rankings differ by more than chance. Seeded: the same values, the same numbers. */

export interface Interval {
  readonly mean: number;
  /** Bounds of the 95 % confidence interval. */
  readonly low: number;
  readonly high: number;
}

export interface Comparison extends Interval {
  /** Two-sided. */
  readonly p: number;
}

/** Resamples, and random assignments of signs: p has a step of 0.0001. */
export const DRAWS = 10_000;

/**
 * Percentile bootstrap over queries (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, 13.3).
 *
 * @param values one per query
 */
export function bootstrap(values: readonly number[], seed: number): Interval {
  const count = values.length;
  if (count === 0) return { mean: 0, low: 0, high: 0 };
  const random = makeRandom(seed);
  const numbers = Float64Array.from(values);
  const means = new Float64Array(DRAWS);
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    for (let at = 0; at < count; at++) sum += numbers[(random() * count) >>> 0] ?? 0;
    means[draw] = sum / count;
  }
  means.sort();
  const at = (share: number): number => means[Math.round(share * (DRAWS - 1))] ?? 0;
  return { mean: meanOf(values), low: at(0.025), high: at(0.975) };
}

/**
 * Fisher's paired randomisation test of the difference of two means (Smucker, Allan & Carterette, CIKM 2007): were the
 * two rankings the same, the sign of each query's difference would be chance. The observed assignment counts as one
 * of the draws (Phipson & Smyth 2010), so that p is never 0.
 *
 * @param first one value per query; `second` of the same queries in the same order
 * @returns the mean of first - second
 */
export function compare(first: readonly number[], second: readonly number[], seed: number): Comparison {
  const differences = first.map((value, at) => value - (second[at] ?? 0));
  const unequal = Float64Array.from(differences.filter((difference) => difference !== 0));
  const random = makeRandom(seed);
  // Sums of the same numbers in another order differ in their last bits.
  const observed = Math.abs(unequal.reduce((a, b) => a + b, 0)) - 1e-9;
  let asFar = 1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    for (const difference of unequal) sum += random() < 0.5 ? difference : -difference;
    if (Math.abs(sum) >= observed) asFar += 1;
  }
  return { ...bootstrap(differences, seed), p: asFar / (DRAWS + 1) };
}

/**
 * Holm's correction: among several comparisons one will look good by chance.
 *
 * @returns one p for each given, in their order
 */
export function correctedByHolm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => (ps[a] ?? 0) - (ps[b] ?? 0));
  const corrected: number[] = [];
  let least = 0;
  for (const [rank, at] of order.entries()) {
    least = Math.max(least, Math.min(1, (ps.length - rank) * (ps[at] ?? 0)));
    corrected[at] = least;
  }
  return corrected;
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The sfc32 generator of PractRand: 32 bits a step, from 0 up to but not 1. */
function makeRandom(seed: number): () => number {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let step = 0; step < 16; step++) next(); // until a small seed has reached every bit
  return next;
}
