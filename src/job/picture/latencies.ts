/**
 * How long things took, as counts in buckets each half an octave wide: small, and two of them add up to one, which no
 * list of percentiles does. Pure.
 */

/** Bucket to count. Bucket n holds what took from sqrt(2)^n ms up to, not including, sqrt(2)^(n+1) ms. */
export type Latencies = Readonly<Record<string, number>>;

export const noLatencies: Latencies = {};

/** Below a tenth of a millisecond nobody waits; above a day nobody does either. */
const [lowest, highest] = [-7, 53];

const bucketOf = (ms: number): number =>
  Math.min(highest, Math.max(lowest, Math.floor(2 * Math.log2(Math.max(ms, Number.MIN_VALUE)))));

export const addLatency = (latencies: Latencies, seconds: number, count = 1): Latencies =>
  addLatencies(latencies, { [bucketOf(seconds * 1000)]: count });

export function addLatencies(some: Latencies, others: Latencies): Latencies {
  const sum: Record<string, number> = { ...some };
  for (const [bucket, count] of Object.entries(others)) sum[bucket] = (sum[bucket] ?? 0) + count;
  return sum;
}

export const countOf = (latencies: Latencies): number =>
  Object.values(latencies).reduce((sum, count) => sum + count, 0);

/**
 * @param share 0.5 for the median
 * @returns milliseconds, the geometric middle of the bucket: off by a fifth at most. Null when there is nothing.
 */
export function latencyAt(latencies: Latencies, share: number): number | null {
  const wanted = share * countOf(latencies);
  if (wanted === 0) return null;
  const sorted = Object.entries(latencies)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([one], [other]) => one - other);
  let seen = 0;
  for (const [bucket, count] of sorted) {
    seen += count;
    if (seen >= wanted) return 2 ** ((bucket + 0.5) / 2);
  }
  return null;
}
