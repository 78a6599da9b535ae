/** From moments to places on a page. */
import type { RunPicture } from './picture.ts';

/** Charts are drawn in a box of this width and stretched to the page; their texts stand beside it. */
export const chartWidth = 1000;

export interface TimeScale {
  readonly from: number;
  readonly to: number;
  /** Where a time stands, from 0 to `chartWidth`; as much of it as the job ran, null when it did not. */
  readonly place: (from: number, to: number) => { readonly left: number; readonly right: number } | null;
  /** Where the job waited to be started again. */
  readonly breaks: readonly number[];
}

/** Of the whole width: what a wait between two runs takes, however long it was. */
const breakShare = 0.012;

/** The runs one after the other, to scale; the waits between them as narrow breaks. */
export function timeScale(runs: readonly Pick<RunPicture, 'from' | 'to'>[]): TimeScale {
  const sorted = runs.filter(({ from, to }) => to >= from).toSorted((a, b) => a.from - b.from);
  const total = sorted.reduce((sum, { from, to }) => sum + to - from, 0);
  const breakWidth = sorted.length < 2 ? 0 : Math.min(breakShare, 0.4 / sorted.length) * chartWidth;
  const room = chartWidth - breakWidth * Math.max(0, sorted.length - 1);
  let at = 0;
  const parts = sorted.map(({ from, to }) => {
    const width = total === 0 ? room / sorted.length : ((to - from) / total) * room;
    const part = { from, to, left: at, width };
    at += width + breakWidth;
    return part;
  });
  return {
    from: sorted[0]?.from ?? 0,
    to: sorted.at(-1)?.to ?? 0,
    place: (from, to) => {
      const part = parts.find((each) => from <= each.to && to >= each.from);
      if (part === undefined) return null;
      const length = Math.max(1, part.to - part.from);
      const at = (moment: number): number =>
        part.left + (part.width * (Math.min(part.to, Math.max(part.from, moment)) - part.from)) / length;
      return { left: at(from), right: at(to) };
    },
    breaks: parts.slice(1).map(({ left }) => left - breakWidth / 2),
  };
}

/** The next of 1, 2, 5, 10, 20, ... that is not smaller: what the top of a chart says. */
export function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}
