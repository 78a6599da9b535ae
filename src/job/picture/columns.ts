/** A series as a page draws it: rates instead of sums, columns instead of points, numbers as short as they may be. Pure. */
import type { GpuSeries, SeriesPicture } from '../../page/picture.ts';
import { countOf, latencyAt, type Latencies } from './latencies.ts';
import type { Past } from './past.ts';
import type { Point } from './series.ts';

export function seriesPicture({
  series: { points, stepMs },
  gpus,
}: Pick<Past, 'series' | 'gpus'>): SeriesPicture {
  const column = (of: (point: Point) => number): number[] => points.map((point) => short(of(point)));
  const perSecond = (of: (point: Point) => number): number[] =>
    column((point) => of(point) / Math.max(point.seconds, 0.001));
  const percentile = (of: (point: Point) => Latencies, share: number): (number | null)[] =>
    points.map((point) => shortOrNull(latencyAt(of(point), share)));
  return {
    stepSeconds: stepMs / 1000,
    from: points.map(({ at }) => at),
    chunksPerSecond: perSecond(({ chunks }) => chunks),
    questionsPerMinute: perSecond(({ questions }) => 60 * countOf(questions)),
    questionP50Ms: percentile(({ questions }) => questions, 0.5),
    questionP95Ms: percentile(({ questions }) => questions, 0.95),
    retrievalsPerSecond: perSecond(({ retrievals }) => countOf(retrievals)),
    retrievalP50Ms: percentile(({ retrievals }) => retrievals, 0.5),
    retrievalP95Ms: percentile(({ retrievals }) => retrievals, 0.95),
    queue: perSecond(({ queueSeconds }) => queueSeconds),
    gpus: Object.entries(gpus).map(([id, gpu]) => gpuColumns(id, gpu, points)),
  };
}

const gpuColumns = (
  id: string,
  { name, memoryTotalBytes }: Past['gpus'][string],
  points: readonly Point[],
): GpuSeries => ({
  id,
  name,
  memoryTotalBytes,
  use: points.map(({ gpus }) => {
    const { seconds = 0, useSeconds = 0 } = gpus[id] ?? {};
    return seconds === 0 ? null : Math.round((100 * useSeconds) / seconds) / 100;
  }),
  memoryBytes: points.map(({ gpus }) => gpus[id]?.memoryBytes ?? null),
});

/** Three digits are more than a chart shows. */
const short = (value: number): number => Number(value.toPrecision(3));
const shortOrNull = (value: number | null): number | null => (value === null ? null : short(value));
