/** One thing over time, as a line with what is below it filled. */
import { momentText, plural } from './amounts.ts';
import type { Picture } from './picture.ts';
import { chartWidth, niceTop, type TimeScale } from './scale.ts';
import { el, type TreeElement } from './tree.ts';

export interface Line {
  readonly values: readonly (number | null)[];
  /** A second line is dashed, and nothing is filled below it. */
  readonly name: string;
}

export interface ChartInput {
  readonly title: string;
  /** What is said of it to who does not see it, and beside the title. */
  readonly now: string;
  readonly lines: readonly [Line, ...Line[]];
  /** What a value is, beside its number. */
  readonly valueText: (value: number) => string;
  /** The value at the top; by the values where it is not given. */
  readonly top?: number;
}

export interface Axis {
  readonly scale: TimeScale;
  readonly from: readonly number[];
  readonly stepSeconds: number;
}

export const chartHeight = 100;

export function chart({ title, now, lines, valueText, top }: ChartInput, axis: Axis): TreeElement {
  const highest = Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const ceiling = top ?? niceTop(highest);
  const said = `${title}: ${now}, at most ${valueText(highest)}`;
  return el(
    'figure',
    { class: 'chart' },
    el('figcaption', {}, el('h3', {}, title), el('span', { class: 'now' }, now)),
    el(
      'div',
      { class: 'plot' },
      el('span', { class: 'ceiling', 'aria-hidden': 'true' }, valueText(ceiling)),
      drawing(said, lines, axis, ceiling),
    ),
    lines.length > 1 &&
      el(
        'p',
        { class: 'legend', 'aria-hidden': 'true' },
        lines.map(({ name }, at) => el('span', { class: at === 0 ? 'key' : 'key dashed' }, name)),
      ),
  );
}

/** The shapes alone, stretched to whatever place they get. */
export function drawing(said: string, lines: readonly Line[], axis: Axis, ceiling: number): TreeElement {
  const [first, ...others] = lines.map((line) => piecesOf(line, axis, ceiling));
  return el(
    'svg',
    {
      role: 'img',
      'aria-label': said,
      viewBox: `0 0 ${chartWidth} ${chartHeight}`,
      preserveAspectRatio: 'none',
      class: 'drawing',
    },
    el('line', {
      class: 'ground',
      x1: 0,
      x2: chartWidth,
      y1: chartHeight,
      y2: chartHeight,
      'vector-effect': 'non-scaling-stroke',
    }),
    axis.scale.breaks.map((x) =>
      el('line', {
        class: 'break',
        x1: digits(x),
        x2: digits(x),
        y1: 0,
        y2: chartHeight,
        'vector-effect': 'non-scaling-stroke',
      }),
    ),
    first !== undefined && el('path', { class: 'below', d: first.map(areaPath).join('') }),
    first !== undefined &&
      el('path', { class: 'line', d: first.map(linePath).join(''), 'vector-effect': 'non-scaling-stroke' }),
    others.map((pieces) =>
      el('path', {
        class: 'line dashed',
        d: pieces.map(linePath).join(''),
        'vector-effect': 'non-scaling-stroke',
      }),
    ),
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What belongs together: from one gap to the next. */
function piecesOf({ values }: Line, { scale, from, stepSeconds }: Axis, ceiling: number): Place[][] {
  const pieces: Place[][] = [];
  let last = -Infinity;
  for (const [index, at] of from.entries()) {
    const value = values[index] ?? null;
    const place = scale.place(at, at + stepSeconds * 1000);
    if (value === null || place === null) continue;
    const { left, right } = place;
    const y = chartHeight * (1 - Math.min(1, value / ceiling));
    const isNext = at - last < 1.5 * stepSeconds * 1000;
    const piece = isNext ? pieces.at(-1) : undefined;
    if (piece === undefined)
      pieces.push([
        { x: left, y },
        { x: right, y },
      ]);
    else {
      // The middle of each step; the ends of a piece reach over theirs.
      piece.pop();
      piece.push({ x: (left + right) / 2, y }, { x: right, y });
    }
    last = at;
  }
  return pieces;
}

const digits = (value: number): string => String(Math.round(value * 10) / 10);
const at = ({ x, y }: Place): string => `${Math.round(x)} ${digits(y)}`;

const linePath = (piece: readonly Place[]): string => `M${piece.map(at).join(' ')}`;

const areaPath = (piece: readonly Place[]): string =>
  `${linePath(piece)}V${chartHeight}H${Math.round(piece[0]?.x ?? 0)}Z`;

/** What stands below charts that share their time. */
export const timeAxis = (
  { scale }: Pick<Axis, 'scale'>,
  { utcOffsetMinutes, at, job, runs }: Picture,
): TreeElement =>
  el(
    'p',
    { class: 'axis' },
    el('span', {}, momentText(scale.from, utcOffsetMinutes)),
    el('span', {}, runs.length > 1 && `${plural(runs.length, 'run')}, waits cut out`),
    el(
      'span',
      {},
      job.outcome === null && at - scale.to < 60_000 ? 'now' : momentText(scale.to, utcOffsetMinutes),
    ),
  );

/** Two pixels of a chart of half the page. */
const mostDrawn = 240;

/** Neighbours as their mean where there are too many. */
export function thinned(
  axis: Axis,
  columns: readonly (readonly (number | null)[])[],
): {
  readonly axis: Axis;
  readonly columns: readonly (readonly (number | null)[])[];
} {
  const width = Math.ceil(axis.from.length / mostDrawn);
  if (width <= 1) return { axis, columns };
  const stepMs = axis.stepSeconds * 1000 * width;
  const groups = [...Map.groupBy(axis.from.keys(), (index) => Math.floor((axis.from[index] ?? 0) / stepMs))];
  return {
    axis: { ...axis, from: groups.map(([slot]) => slot * stepMs), stepSeconds: axis.stepSeconds * width },
    columns: columns.map((column) =>
      groups.map(([, indices]) => meanOf(indices.map((index) => column[index] ?? null))),
    ),
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const told = values.filter((value) => value !== null);
  return told.length === 0 ? null : told.reduce((sum, value) => sum + value, 0) / told.length;
}
