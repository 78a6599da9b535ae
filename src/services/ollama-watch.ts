/**
 * Looks after a server that answers for itself while nobody gets an answer from its runner: its requests are ended,
 * then its runners, and only then is the server started again.
 */
import { stat } from 'node:fs/promises';
import { unfinished } from '../models/ollama-errors.ts';
import type { OllamaHttp } from '../models/ollama-http.ts';
import { orAborted, pause } from '../supervise/pause.ts';
import type { Report, Running, Watch } from '../supervise/spec.ts';
import { calm, firstRemedy, nextStillness, remedies, stuckFor } from './hang.ts';
import type { Look, Patience, Remedy, Stillness } from './hang.ts';
import { readNotices } from './log-notices.ts';
import { placeOf, works, type Expected } from './ollama-ready.ts';
import { effortOf, killRunners, runnersOf } from './runners.ts';

export interface WatchBounds {
  /** From look to look. All other times are counted in looks. */
  readonly lookMs: number;
  /** With requests under way. */
  readonly flight: Patience;
  /** With nothing under way but one word of ours. */
  readonly canary: Patience;
  /** The same, after its runners were killed: it begins with a load. */
  readonly reload: Patience;
  /** A server that nobody has asked for so long is asked by us. */
  readonly restMs: number;
  /** From one look at where its model sits to the next. */
  readonly placeMs: number;
  /** Runners that may end with no answer in between. */
  readonly maxDeaths: number;
}

/** @param startTimeoutMs how long a load may stand still */
export const watchBounds = (startTimeoutMs: number): WatchBounds => ({
  lookMs: 5_000,
  flight: { idleMs: 120_000, silentMs: 900_000 },
  canary: { idleMs: 60_000, silentMs: 300_000 },
  reload: { idleMs: startTimeoutMs, silentMs: Math.max(startTimeoutMs, 300_000) },
  restMs: 300_000,
  placeMs: 60_000,
  maxDeaths: 5,
});

export interface WatchOptions extends Expected {
  readonly http: OllamaHttp;
  readonly logFile: string;
  readonly urlOf: (running: Running) => string;
  readonly bounds: WatchBounds;
}

/** One server that is watched, from ready to its end. */
interface Watched extends WatchOptions {
  readonly pid: number;
  readonly url: string;
  readonly report: Report;
  readonly signal: AbortSignal;
  look(): Promise<Look>;
}

/** `stuck`: the remedies are tried. `spent`: only a new start helps. */
type Trouble = { readonly outcome: 'stuck' | 'spent'; readonly reason: string } | { outcome: 'aborted' };

export const watchOllama =
  (options: WatchOptions): Watch =>
  async (running, report, signal) => {
    const watched = await begin(options, running, report, signal);
    const served = (): number => options.http.flights.traffic(watched.url).served;
    let cured: Remedy | null = null;
    let servedThen = 0;
    for (;;) {
      const trouble = await untilTrouble(watched);
      if (trouble.outcome === 'aborted') return 'it is watched no more';
      if (trouble.outcome === 'spent') return trouble.reason;
      cured = await cure(watched, firstRemedy(cured, served() > servedThen), trouble.reason);
      if (cured === null) return `its models hang: ${trouble.reason}`;
      servedThen = served();
    }
  };

async function begin(
  options: WatchOptions,
  { pid, ...running }: Running,
  report: Report,
  signal: AbortSignal,
): Promise<Watched> {
  const url = options.urlOf({ pid, ...running });
  let position = (await stat(options.logFile).catch(() => ({ size: 0 }))).size;
  const look = async (): Promise<Look> => {
    const notices = await readNotices(options.logFile, position);
    position = notices.position;
    const deaths = notices.told.filter(({ name }) => name === 'runner-died').length;
    return { ...options.http.flights.traffic(url), ...effortOf(runnersOf(pid)), deaths };
  };
  return { ...options, pid, url, report, signal, look };
}

async function untilTrouble(watched: Watched): Promise<Trouble> {
  const { bounds, signal } = watched;
  const { lookMs } = bounds;
  let last = await watched.look();
  let still = calm;
  let unseenMs = 0;
  while ((await pause(lookMs, signal)) === 'elapsed') {
    const now = await watched.look();
    still = nextStillness(still, last, now, lookMs);
    last = now;
    const reason = stuckFor(still, bounds.flight);
    if (reason !== undefined) return { outcome: 'stuck', reason };
    if (still.deaths >= bounds.maxDeaths)
      return { outcome: 'spent', reason: `its runner ended ${still.deaths} times and nobody got an answer` };
    if (still.restMs >= bounds.restMs) {
      if ((await sings(watched, bounds.canary)) === 'silent')
        return { outcome: 'stuck', reason: 'nobody had asked it, and one word of ours was not answered' };
      still = calm;
    }
    unseenMs += lookMs;
    if (unseenMs < bounds.placeMs) continue;
    unseenMs = 0;
    const fallen = await fellToTheCpu(watched);
    if (fallen !== undefined) return { outcome: 'spent', reason: fallen };
  }
  return { outcome: 'aborted' };
}

/** Nothing is sent meanwhile: behind a queue a canary is as silent as behind a hung runner. */
async function cure(watched: Watched, first: Remedy, reason: string): Promise<Remedy | null> {
  const { bounds, report, signal, http, url, pid } = watched;
  using grounding = http.flights.ground(url, unfinished(`its server hung (${reason})`));
  report('hang', { reason, requests: grounding.ended });
  for (const remedy of remedies.slice(remedies.indexOf(first))) {
    const isKill = remedy === 'kill its runners';
    const killed = isKill ? killRunners(pid) : [];
    if (isKill && killed.length === 0) continue;
    const canary = await sings(watched, isKill ? bounds.reload : bounds.canary);
    if (signal.aborted) return null;
    report('hang', { remedy, killed, canary });
    if (canary === 'silent') continue;
    grounding.lift();
    return remedy;
  }
  return null;
}

/** One word, asked as everybody asks. A refusal is worth another try until patience ends: it may be loading again. */
async function sings(watched: Watched, patience: Patience): Promise<'answered' | 'silent'> {
  const over = new AbortController();
  const signal = AbortSignal.any([watched.signal, over.signal]);
  const ask = async (): Promise<'answered' | 'silent'> => {
    for (;;) {
      try {
        await works(watched, { ...watched, signal });
        return 'answered';
      } catch {
        if ((await pause(watched.bounds.lookMs, signal)) === 'aborted') return 'silent';
      }
    }
  };
  try {
    return await Promise.race([ask(), untilStill({ ...watched, signal }, patience)]);
  } finally {
    over.abort();
  }
}

async function untilStill(watched: Watched, patience: Patience): Promise<'silent'> {
  const { lookMs } = watched.bounds;
  // The canary itself is not counted.
  const look = async (): Promise<Look> => ({ ...(await watched.look()), inFlight: 1 });
  let last = await look();
  let still: Stillness = calm;
  while (stuckFor(still, patience) === undefined) {
    if ((await pause(lookMs, watched.signal)) === 'aborted') break;
    const now = await look();
    still = nextStillness(still, last, now, lookMs);
    last = now;
  }
  return 'silent';
}

/** A question that is not answered says nothing about the place; others look for hangs. */
async function fellToTheCpu(watched: Watched): Promise<string | undefined> {
  const { model, gpus, allowCpu, bounds, signal } = watched;
  if (gpus === null || gpus.length === 0 || allowCpu) return undefined;
  const late = new AbortController();
  const asked = placeOf(model, { ...watched, signal: late.signal }).catch(() => undefined);
  const place = await orAborted(Promise.race([asked, pause(bounds.lookMs, late.signal)]), signal);
  late.abort();
  if (typeof place !== 'object' || place.vramBytes >= place.bytes) return undefined;
  return `${model} fell to the CPU: ${place.vramBytes} of ${place.bytes} bytes are on its GPUs`;
}
