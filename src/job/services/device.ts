/** What a Python child runs on and does there, as a record and in words. Pure. */
import type { SidecarReady } from '../../services/sidecar-ready.ts';
import type { SidecarStats } from '../../services/sidecar-stats.ts';

/** As it says itself. Memory is that of its process on the device. */
export interface DeviceStatus {
  /** `cuda:0` (the first that it may see) or `cpu`. */
  readonly device: string;
  readonly name: string | null;
  readonly dtype: string;
  readonly memory_bytes: number | null;
  readonly memory_peak_bytes: number | null;
  readonly memory_total_bytes: number | null;
  /** Query and passage, scored since its start. */
  readonly pairs: number;
  /** While it scored. */
  readonly pairs_per_s: number | null;
  /** Encoded since its start. */
  readonly texts: number;
  /** While it encoded. */
  readonly texts_per_s: number | null;
  /** In force: less than what was asked for where memory did not do. */
  readonly batch_size: number | null;
}

/** @param stats null: it has not told yet */
export const deviceStatus = (ready: SidecarReady, stats: SidecarStats | null): DeviceStatus => ({
  device: ready.device,
  name: ready.device_name ?? null,
  dtype: ready.dtype,
  memory_bytes: stats?.memory_bytes ?? ready.memory_bytes ?? null,
  memory_peak_bytes: stats?.memory_peak_bytes ?? null,
  memory_total_bytes: stats?.memory_total_bytes ?? null,
  pairs: stats?.pairs ?? 0,
  pairs_per_s: stats?.pairs_per_s ?? null,
  texts: stats?.texts ?? 0,
  texts_per_s: stats?.texts_per_s ?? null,
  batch_size: stats?.batch_size ?? null,
});

/** `cuda:0 NVIDIA H200, float16, 5.1 of 139.8 GiB (peak 9.3), batch 64, 12345 pairs at 310.5/s` */
export function deviceText(device: DeviceStatus): string {
  const { memory_bytes: memory, memory_peak_bytes: peak, memory_total_bytes: total } = device;
  const used = memory === null ? [] : [`${gib(memory)}${total === null ? '' : ` of ${gib(total)}`} GiB`];
  const most = memory === null || peak === null ? '' : ` (peak ${gib(peak)})`;
  return [
    device.name === null ? device.device : `${device.device} ${device.name}`,
    device.dtype,
    ...used.map((text) => `${text}${most}`),
    ...(device.batch_size === null ? [] : [`batch ${device.batch_size}`]),
    ...workText('pairs', device.pairs, device.pairs_per_s),
    ...workText('texts', device.texts, device.texts_per_s),
  ].join(', ');
}

const workText = (what: string, count: number, perSecond: number | null): string[] =>
  count === 0 ? [] : [`${count} ${what}${perSecond === null ? '' : ` at ${perSecond}/s`}`];

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
