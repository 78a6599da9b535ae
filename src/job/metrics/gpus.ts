/** What the job's GPUs do, and how much of their time nobody used. */
import type { GpuNow } from '../picture/gpu-watch.ts';
import { type GpuUsage, idleRule } from '../picture/idle.ts';
import type { Asked, Sources, Value } from './asked.ts';

export function addGpus({ gauge, counter }: Asked, { samples }: Pick<Sources, 'samples'>): void {
  const now = (value: (gpu: GpuNow) => number | null) => (): readonly Value[] =>
    samples.gpus().map((gpu) => [{ gpu: gpu.token, uuid: gpu.uuid }, value(gpu)]);
  const sofar = (value: (usage: GpuUsage) => number) => (): readonly Value[] =>
    Object.entries(samples.past().gpus).map(([uuid, { usage }]) => [{ uuid }, value(usage)]);
  gauge(
    'rag_gpu_utilization_ratio',
    'For how much of the last moments anything ran on the GPU, 0 to 1.',
    ['gpu', 'uuid'],
    now(({ use }) => use),
  );
  gauge(
    'rag_gpu_memory_used_bytes',
    'Memory of the GPU that is held.',
    ['gpu', 'uuid'],
    now(({ memoryBytes }) => memoryBytes),
  );
  gauge(
    'rag_gpu_memory_size_bytes',
    'Memory that the GPU has.',
    ['gpu', 'uuid'],
    now(({ memoryTotalBytes }) => memoryTotalBytes),
  );
  counter(
    'rag_gpu_watched_seconds_total',
    'For how long the use of the GPU is known, in all runs of the job.',
    ['uuid'],
    sofar(({ watchedSeconds }) => watchedSeconds),
  );
  counter(
    'rag_gpu_idle_seconds_total',
    `For how long the GPU was idle, in all runs of the job. ${idleRule}.`,
    ['uuid'],
    sofar(({ idleSeconds }) => idleSeconds),
  );
}
