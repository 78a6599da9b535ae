/**
 * When a model server counts as stuck. Pure: looks come in, findings go out. Time is the number of looks and never
 * a difference of clocks: a job that Slurm suspended for an hour has not been looked at for an hour.
 */

/** What is seen of a server at one look. Sums only grow; one that is smaller belongs to other runners than before. */
export interface Look {
  readonly inFlight: number;
  /** How often anything came back, and how often that was a piece of an answer. */
  readonly heard: number;
  readonly served: number;
  /** Of its runners. */
  readonly cpuMs: number;
  readonly readBytes: number;
  /** Runners that ended since the look before. */
  readonly deaths: number;
}

/** What has not happened, and for how long. */
export interface Stillness {
  /** Requests are under way, nothing came back, and no model was being loaded. */
  readonly silentMs: number;
  /** Nor did the runners compute. */
  readonly idleMs: number;
  /** Nothing was asked of it. */
  readonly restMs: number;
  /** Runners that ended since the last piece of an answer. */
  readonly deaths: number;
}

/**
 * How much of it is too much. A runner in a deadlock uses no CPU, one that computes always does, if only to start
 * its kernels: so silence without CPU is short, and silence with it, which may be a huge batch on a slow device, long.
 */
export interface Patience {
  readonly idleMs: number;
  readonly silentMs: number;
}

export const calm: Stillness = { silentMs: 0, idleMs: 0, restMs: 0, deaths: 0 };

/** Of one core, over one look. */
const idleShare = 0.01;
/** Answers and their sockets are far below this in a look, a load from the slowest file system above. */
const loadBytes = 2 ** 20;

/** @param stepMs from look to look */
export function nextStillness(before: Stillness, last: Look, now: Look, stepMs: number): Stillness {
  const deaths = now.deaths + (now.served === last.served ? before.deaths : 0);
  const isSilent = now.heard === last.heard;
  if (now.inFlight === 0) return { ...calm, restMs: isSilent ? before.restMs + stepMs : 0, deaths };
  const silentMs = isSilent && !loads(last, now) ? before.silentMs + stepMs : 0;
  const idleMs = silentMs > 0 && !computes(last, now, stepMs) ? before.idleMs + stepMs : 0;
  return { silentMs, idleMs, restMs: 0, deaths };
}

const loads = (last: Look, now: Look): boolean =>
  now.readBytes < last.readBytes || now.readBytes - last.readBytes >= loadBytes;

const computes = (last: Look, now: Look, stepMs: number): boolean =>
  now.cpuMs < last.cpuMs || now.cpuMs - last.cpuMs >= stepMs * idleShare;

/** Why it counts as stuck, or undefined. */
export function stuckFor({ silentMs, idleMs }: Stillness, patience: Patience): string | undefined {
  if (idleMs >= patience.idleMs)
    return `no byte for ${silentMs / 1000} s, and its runners have computed nothing for ${idleMs / 1000} s`;
  if (silentMs >= patience.silentMs) return `no byte for ${silentMs / 1000} s`;
  return undefined;
}

/** From the mildest: each is tried when the one before did not help. After the last the server is started again. */
export const remedies = ['end its requests', 'kill its runners'] as const;
export type Remedy = (typeof remedies)[number];

/**
 * What to begin with the next time. Requests that were ended and a canary that sang prove little: when the server
 * is stuck again before it has answered anybody, one of its slots is lost, and only its runner's end frees that.
 */
export const firstRemedy = (cured: Remedy | null, hasServedSince: boolean): Remedy =>
  cured === 'end its requests' && !hasServedSince ? 'kill its runners' : 'end its requests';
