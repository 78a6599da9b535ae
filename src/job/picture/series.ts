/**
 * What was measured of a job, from its first run on, in a bounded number of points. When they become too many, two and
 * two are merged and a point stands for twice the time: a job of three days has as many as one of an hour. Pure.
 */
import { addLatencies, type Latencies, noLatencies } from './latencies.ts';

/** What happened in a time. Everything in it adds up. */
export interface Amounts {
  /** How much of the time was looked at. */
  readonly seconds: number;
  readonly documents: number;
  readonly failed: number;
  readonly chunks: number;
  readonly tokens: number;
  readonly questions: Latencies;
  readonly retrievals: Latencies;
  /** Requests under way at the model servers, times seconds. */
  readonly queueSeconds: number;
}

/** Of one GPU in a time. */
export interface GpuAmounts {
  /** For how long its use was told. */
  readonly seconds: number;
  /** Use (0 to 1) times seconds. */
  readonly useSeconds: number;
  /** The most that was held at once. */
  readonly memoryBytes: number;
}

export interface Sample extends Amounts {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** By the driver's name of the GPU. */
  readonly gpus: Readonly<Record<string, GpuAmounts>>;
}

/** As a sample, and `at` is a multiple of the step. */
export type Point = Sample;

export interface Series {
  readonly stepMs: number;
  /** In the order of time, never two of one step. Where nobody looked there is none. */
  readonly points: readonly Point[];
}

export const noAmounts: Amounts = {
  seconds: 0,
  documents: 0,
  failed: 0,
  chunks: 0,
  tokens: 0,
  questions: noLatencies,
  retrievals: noLatencies,
  queueSeconds: 0,
};

/** From one look to the next at the beginning. */
export const firstStepMs = 5000;
/** As many as a chart has pixels to draw them. */
const mostPoints = 600;

export const noSeries: Series = { stepMs: firstStepMs, points: [] };

/** A sample from before the last point (the clock was set back) counts with that one: time in a series never goes back. */
export function addSample(series: Series, sample: Sample, most = mostPoints): Series {
  const { points, stepMs } = series;
  const last = points.at(-1);
  const slot = Math.floor(sample.at / stepMs) * stepMs;
  if (last !== undefined && slot <= last.at)
    return { stepMs, points: [...points.slice(0, -1), merged(last, sample, last.at)] };
  const longer = { stepMs, points: [...points, { ...sample, at: slot }] };
  return longer.points.length <= most ? longer : coarsened(longer, most);
}

function coarsened(series: Series, most: number): Series {
  const stepMs = 2 * series.stepMs;
  const points: Point[] = [];
  for (const point of series.points) {
    const at = Math.floor(point.at / stepMs) * stepMs;
    const last = points.at(-1);
    if (last?.at === at) points[points.length - 1] = merged(last, point, at);
    else points.push({ ...point, at });
  }
  return points.length <= most ? { stepMs, points } : coarsened({ stepMs, points }, most);
}

const merged = (one: Sample, other: Sample, at: number): Point => ({
  at,
  ...sumOf(one, other),
  gpus: mergedGpus(one.gpus, other.gpus),
});

const sumOf = (one: Amounts, other: Amounts): Amounts => ({
  seconds: one.seconds + other.seconds,
  documents: one.documents + other.documents,
  failed: one.failed + other.failed,
  chunks: one.chunks + other.chunks,
  tokens: one.tokens + other.tokens,
  questions: addLatencies(one.questions, other.questions),
  retrievals: addLatencies(one.retrievals, other.retrievals),
  queueSeconds: one.queueSeconds + other.queueSeconds,
});

function mergedGpus(some: Sample['gpus'], others: Sample['gpus']): Sample['gpus'] {
  const all = { ...some };
  for (const [id, gpu] of Object.entries(others)) {
    const known = all[id];
    all[id] =
      known === undefined
        ? gpu
        : {
            seconds: known.seconds + gpu.seconds,
            useSeconds: known.useSeconds + gpu.useSeconds,
            memoryBytes: Math.max(known.memoryBytes, gpu.memoryBytes),
          };
  }
  return all;
}
