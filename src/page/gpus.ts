/** Each GPU: what it does, how full it is, and how much of it was paid for and not used. */
import { gibibytesText, hoursText, percentText } from './amounts.ts';
import { type Axis, chartHeight, drawing, timeAxis } from './chart.ts';
import { figure } from './ingest.ts';
import type { GpuPicture, GpuSeries, Picture } from './picture.ts';
import { chartWidth } from './scale.ts';
import { el, type Content, type TreeElement } from './tree.ts';

/** @param series of the GPUs, thinned as the axis is */
export function gpusView(picture: Picture, axis: Axis | null, series: readonly GpuSeries[]): Content {
  const { gpus, gpuHours } = picture;
  const gone = series.filter(({ id }) => !gpus.some((gpu) => gpu.id === id)).map(formerGpu);
  if (gpus.length + gone.length === 0) return null;
  const seriesOf = (id: string): GpuSeries | undefined => series.find((each) => each.id === id);
  const unknown = gpuHours.allocated - gpuHours.watched;
  return el(
    'section',
    { 'aria-labelledby': 'gpus' },
    el('h2', { id: 'gpus' }, 'GPUs'),
    el(
      'div',
      { class: 'figures' },
      figure(hoursText(gpuHours.allocated), 'GPU-hours allocated'),
      figure(hoursText(Math.max(0, gpuHours.watched - gpuHours.idle)), 'used'),
      figure(
        hoursText(gpuHours.idle),
        'idle',
        gpuHours.idle > gpuHours.watched / 2 && gpuHours.idle > 1 ? 'bad' : undefined,
      ),
      unknown >= 0.01 && figure(hoursText(unknown), 'not known'),
    ),
    el('p', { class: 'note' }, `${gpuHours.rule}.`),
    el(
      'ul',
      { class: 'gpus' },
      [...gpus, ...gone].map((gpu) => gpuView(gpu, axis, seriesOf(gpu.id), picture.job.outcome !== null)),
      axis !== null && el('li', { class: 'axes' }, timeAxis(axis, picture), timeAxis(axis, picture)),
    ),
  );
}

/** One of an earlier run, on another node. */
const formerGpu = ({ id, name, memoryTotalBytes }: GpuSeries): GpuPicture => ({
  id,
  token: id,
  name,
  services: ['an earlier run'],
  use: null,
  memoryBytes: null,
  memoryTotalBytes,
  idleHours: 0,
});

function gpuView(
  gpu: GpuPicture,
  axis: Axis | null,
  series: GpuSeries | undefined,
  ended: boolean,
): TreeElement {
  const { token, name, services, memoryTotalBytes, idleHours } = gpu;
  const total = memoryTotalBytes ?? Math.max(1, ...(series?.memoryBytes ?? []).map((bytes) => bytes ?? 0));
  const label = /^\d+$/.test(token) ? `GPU ${token}` : token.slice(0, 12);
  const [used, held] = ended ? usedInAll(series) : usedNow(gpu);
  return el(
    'li',
    {},
    el(
      'h3',
      {},
      label,
      el(
        'span',
        { class: 'under' },
        [name, services.join(', '), idleHours >= 0.05 && `idle ${hoursText(idleHours)} h`]
          .filter(Boolean)
          .join(' · '),
      ),
    ),
    el(
      'div',
      { class: 'gauge' },
      el('p', { class: 'now' }, used),
      history(axis, `${label}, use`, series?.use, 1),
    ),
    el(
      'div',
      { class: 'gauge memory' },
      el('p', { class: 'now' }, held),
      history(axis, `${label}, memory`, series?.memoryBytes, total),
    ),
  );
}

type Said = readonly [use: string, memory: string];

const usedNow = ({ use, memoryBytes, memoryTotalBytes }: GpuPicture): Said => [
  use === null ? 'use not told' : `${percentText(use)} in use`,
  memoryBytes === null || memoryTotalBytes === null
    ? 'memory not told'
    : `${gibibytesText(memoryBytes)} of ${gibibytesText(memoryTotalBytes)} GiB`,
];

function usedInAll(series: GpuSeries | undefined): Said {
  const [uses, held] = [series?.use ?? [], series?.memoryBytes ?? []].map((values) =>
    values.filter((value) => value !== null),
  ) as [number[], number[]];
  const mean = uses.reduce((sum, use) => sum + use, 0) / uses.length;
  return [
    uses.length === 0 ? 'use not told' : `${percentText(mean)} in use on average`,
    held.length === 0 ? 'memory not told' : `at most ${gibibytesText(Math.max(...held))} GiB`,
  ];
}

const history = (
  axis: Axis | null,
  said: string,
  values: readonly (number | null)[] | undefined,
  ceiling: number,
): TreeElement =>
  axis === null || values === undefined
    ? el('svg', { class: 'drawing', viewBox: `0 0 ${chartWidth} ${chartHeight}`, 'aria-hidden': 'true' })
    : drawing(`${said} over time`, [{ name: said, values }], axis, ceiling);
