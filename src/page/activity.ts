/** What the job does, over time: chunks, questions, retrievals, what waits. */
import { countText, millisecondsText, rateText } from './amounts.ts';
import { type Axis, chart, type ChartInput, thinned, timeAxis } from './chart.ts';
import type { GpuSeries, LatencyPicture, Picture, SeriesPicture } from './picture.ts';
import type { TimeScale } from './scale.ts';
import { el, type Content } from './tree.ts';

export interface Drawable {
  readonly axis: Axis;
  readonly gpus: readonly GpuSeries[];
  readonly charts: readonly ChartInput[];
}

/** The series of a picture as they are drawn: no more places than a page has. */
export function drawable({ asking, job }: Picture, series: SeriesPicture, scale: TimeScale): Drawable {
  const { from, stepSeconds, gpus } = series;
  const measured = [
    series.chunksPerSecond,
    series.questionsPerMinute,
    series.questionP50Ms,
    series.questionP95Ms,
    series.retrievalsPerSecond,
    series.retrievalP50Ms,
    series.retrievalP95Ms,
    series.queue,
  ];
  const columns = [...measured, ...gpus.flatMap(({ use, memoryBytes }) => [use, memoryBytes])];
  const thin = thinned({ scale, from, stepSeconds }, columns);
  const at = (index: number): readonly (number | null)[] => thin.columns[index] ?? [];
  /** As it was measured last, not as it is drawn: a place of the chart may stand for minutes. */
  const latest = (values: readonly (number | null)[]): string =>
    job.outcome === null ? `${rateText(values.at(-1) ?? 0)} now` : `at most ${rateText(highestOf(values))}`;
  const charts: readonly (ChartInput | null)[] = [
    rateChart('Chunks embedded a second', at(0), rateText, latest(series.chunksPerSecond)),
    rateChart('Questions a minute', at(1), rateText, `${countText(asking.questions.count)} so far`),
    latencyChart('Time of a question', at(2), at(3), asking.questions),
    rateChart('Retrievals a second', at(4), rateText, `${countText(asking.retrievals.count)} so far`),
    latencyChart('Time of a retrieval', at(5), at(6), asking.retrievals),
    rateChart('Requests at the model servers', at(7), rateText, latest(series.queue)),
  ];
  return {
    axis: thin.axis,
    charts: charts.filter((each) => each !== null),
    gpus: gpus.map((gpu, index) => ({
      ...gpu,
      use: at(measured.length + 2 * index),
      memoryBytes: at(measured.length + 2 * index + 1),
    })),
  };
}

const highestOf = (values: readonly (number | null)[]): number =>
  values.reduce<number>((highest, value) => Math.max(highest, value ?? 0), 0);

/** Null for what never happened. */
function rateChart(
  title: string,
  values: readonly (number | null)[],
  valueText: (value: number) => string,
  now: string,
): ChartInput | null {
  return values.some((value) => (value ?? 0) > 0)
    ? { title, now, lines: [{ name: title, values }], valueText }
    : null;
}

function latencyChart(
  title: string,
  p50: readonly (number | null)[],
  p95: readonly (number | null)[],
  { p50Ms, p95Ms }: LatencyPicture,
): ChartInput | null {
  if (p50.every((value) => value === null)) return null;
  const now =
    p50Ms === null || p95Ms === null
      ? 'none in this run'
      : `${millisecondsText(p50Ms)}, 95 % within ${millisecondsText(p95Ms)}`;
  const lines = [
    { name: 'half within', values: p50 },
    { name: '95 % within', values: p95 },
  ] as const;
  return { title, now, lines, valueText: millisecondsText };
}

export function activityView(picture: Picture, drawn: Drawable | null): Content {
  const nothing = drawn === null || drawn.charts.length === 0;
  return el(
    'section',
    { 'aria-labelledby': 'activity' },
    el('h2', { id: 'activity' }, 'Over time'),
    nothing
      ? el('p', { class: 'note' }, 'Nothing has happened yet that could be drawn.')
      : el(
          'div',
          { class: 'charts' },
          drawn.charts.map((each) => chart(each, drawn.axis)),
        ),
    !nothing && timeAxis(drawn.axis, picture),
  );
}
