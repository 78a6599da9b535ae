/** How long models take to come from their disk, by a sample of them. */
import { readModel } from '../../machine/model-store.ts';
import { readSpeed } from '../../machine/read-speed.ts';
import type { Plan } from '../../plan/types.ts';

export interface LoadTime {
  readonly model: string;
  readonly bytes: number;
  readonly bytes_per_s: number;
  readonly seconds: number;
}

/** Of models that are in the store and too large for a guess. */
export async function readLoadTimes(plan: Plan, store: string): Promise<LoadTime[]> {
  if (plan.engine !== 'ollama') return [];
  const times: LoadTime[] = [];
  for (const model of new Set(
    plan.instances.flatMap((each) => (each.role === 'rerank' ? [] : [each.model])),
  )) {
    const stored = await readModel(store, model).catch(() => 'no-store' as const);
    if (typeof stored === 'string') continue;
    const speeds = await Promise.all(stored.blobs.map(({ file }) => readSpeed(file)));
    const speed = speeds.find((each) => each !== undefined);
    if (speed === undefined) continue;
    times.push({
      model,
      bytes: stored.bytes,
      bytes_per_s: Math.round(speed),
      seconds: Math.ceil(stored.bytes / speed),
    });
  }
  return times;
}

export const loadText = ({ model, bytes, bytes_per_s: speed, seconds }: LoadTime): string =>
  `${model}: ${(bytes / 1e9).toFixed(1)} GB load in about ${seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`} at ${Math.round(speed / 1e6)} MB/s, by a sample`;
