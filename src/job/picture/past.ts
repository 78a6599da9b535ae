/**
 * What a run leaves for the next one of its job, in `history.json` beside its report: what was measured, how its GPUs
 * were used, what was set aside.
 */
import { z } from 'zod';
import type { Failure } from '../../work.ts';
import { type GpuUsage, unused } from './idle.ts';
import { noSeries, type Series } from './series.ts';
import { mostListed, noneSetAside, type SetAside } from './set-aside.ts';

/** A GPU that the job had, in this run or an earlier one. */
export interface GpuPast {
  readonly name: string | null;
  readonly memoryTotalBytes: number | null;
  readonly usage: GpuUsage;
}

export interface Past {
  readonly series: Series;
  /** By the driver's name of the GPU. */
  readonly gpus: Readonly<Record<string, GpuPast>>;
  readonly setAside: SetAside;
}

export const noPast: Past = { series: noSeries, gpus: {}, setAside: noneSetAside };

const latencies = z.record(z.string(), z.number());
const pointSchema = z.object({
  at: z.number(),
  seconds: z.number(),
  documents: z.number(),
  failed: z.number(),
  chunks: z.number(),
  tokens: z.number(),
  questions: latencies,
  retrievals: latencies,
  queueSeconds: z.number(),
  gpus: z.record(
    z.string(),
    z.object({ seconds: z.number(), useSeconds: z.number(), memoryBytes: z.number() }),
  ),
});

const pastSchema = z.object({
  version: z.literal(1),
  series: z.object({ stepMs: z.number().positive(), points: z.array(pointSchema).max(10_000) }),
  gpus: z.record(
    z.string(),
    z.object({
      name: z.string().nullable(),
      memoryTotalBytes: z.number().nullable(),
      watchedSeconds: z.number(),
      idleSeconds: z.number(),
    }),
  ),
  setAside: z.object({
    listed: z
      .array(z.object({ document: z.string(), state: z.enum(['failed', 'needs_ocr']), reason: z.string() }))
      .max(mostListed),
    more: z.number(),
  }),
});

/** @throws for a text that was cut short, or is another program's */
export function parsePast(text: string): Past {
  const { series, gpus, setAside } = pastSchema.parse(JSON.parse(text));
  return {
    series,
    gpus: Object.fromEntries(
      Object.entries(gpus).map(([id, { name, memoryTotalBytes, ...usage }]) => [
        id,
        { name, memoryTotalBytes, usage: { ...unused, ...usage } },
      ]),
    ),
    setAside: { listed: byDocument(setAside.listed), more: setAside.more },
  };
}

const byDocument = (failures: readonly Failure[]): ReadonlyMap<string, Failure> =>
  new Map(failures.map((failure) => [failure.document, failure]));

export const writtenPast = ({ series, gpus, setAside }: Past): string =>
  JSON.stringify({
    version: 1,
    series,
    gpus: Object.fromEntries(
      Object.entries(gpus).map(([id, { name, memoryTotalBytes, usage }]) => [
        id,
        { name, memoryTotalBytes, watchedSeconds: usage.watchedSeconds, idleSeconds: usage.idleSeconds },
      ]),
    ),
    setAside: { listed: [...setAside.listed.values()], more: setAside.more },
  });
