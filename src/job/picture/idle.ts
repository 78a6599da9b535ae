/** When a GPU that the job holds does nothing. Pure. */

/** Below this share of its time a GPU does no work worth its price: a monitor's own question can be seen there. */
export const idleBelow = 0.05;
/** A shorter pause is one between two batches, or a load from disk. */
export const idleAfterSeconds = 120;

export const idleRule = `Idle: less than ${idleBelow * 100} % in use at every look for at least ${idleAfterSeconds / 60} minutes; the whole of such a time counts`;

export interface GpuUsage {
  /** For how long its use is known. */
  readonly watchedSeconds: number;
  readonly idleSeconds: number;
  /** For how long it has been quiet by now. */
  readonly quietSeconds: number;
}

export const unused: GpuUsage = { watchedSeconds: 0, idleSeconds: 0, quietSeconds: 0 };

/** @param seconds for how long `use` (0 to 1) held */
export function addUse(usage: GpuUsage, use: number, seconds: number): GpuUsage {
  const watchedSeconds = usage.watchedSeconds + seconds;
  if (use >= idleBelow) return { ...usage, watchedSeconds, quietSeconds: 0 };
  const quietSeconds = usage.quietSeconds + seconds;
  const wasIdle = usage.quietSeconds >= idleAfterSeconds;
  const isIdle = quietSeconds >= idleAfterSeconds;
  const more = wasIdle ? seconds : isIdle ? quietSeconds : 0;
  return { watchedSeconds, idleSeconds: usage.idleSeconds + more, quietSeconds };
}

/** Between two looks that did not follow each other nobody knows: what was quiet before says nothing of it. */
export const afterGap = (usage: GpuUsage): GpuUsage => ({ ...usage, quietSeconds: 0 });
