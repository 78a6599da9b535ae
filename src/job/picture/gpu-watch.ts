/** Asks the driver what the job's GPUs do, again and again, and never stands in anybody's way. */
import { type GpuUse, readGpuUse } from '../../machine/gpu-use.ts';

/** A GPU of the job. */
export interface GpuNow extends GpuUse {
  /** As the allocation names it. */
  readonly token: string;
}

export interface GpuWatch extends AsyncDisposable {
  /** What was told last; empty when that is too long ago, or nothing was ever told. */
  now(): readonly GpuNow[];
  /** The same, and of what is too long ago at least which GPU has which name. */
  known(): readonly GpuNow[];
  /** Asks when it is time to, and returns at once. */
  look(): void;
}

export interface GpuWatchOptions {
  /** Undefined: there is none, and nothing is ever told. */
  readonly nvidiaSmi: string | undefined;
  /** As the allocation names them: by index or UUID. */
  readonly tokens: readonly string[];
  /** Of every process of this run: a question that hangs must not outlive it. */
  readonly mark: Readonly<Record<string, string>>;
  readonly everyMs: number;
}

const timeoutMs = 5000;
/** What was told holds until it should have been told anew three times. */
const staleAfter = 3;
/** A driver that is slow to answer (no persistence mode) is asked so seldom that it has twenty times as long a rest. */
const restPerWork = 20;
/** One that does not answer may leave a process that not even KILL ends: it is left alone twice as long each time. */
const [firstRestMs, longestRestMs] = [30_000, 3_600_000];

export function openGpuWatch({ nvidiaSmi, tokens, mark, everyMs }: GpuWatchOptions): GpuWatch {
  const over = new AbortController();
  let told: readonly GpuNow[] = [];
  let [toldAt, freshMs] = [-Infinity, 0];
  let nextAt = -Infinity;
  let restMs = firstRestMs;
  let asking: Promise<void> | undefined;
  const ask = async (program: string): Promise<void> => {
    const started = performance.now();
    const answer = await readGpuUse(program, { timeoutMs, signal: over.signal, env: mark });
    const now = performance.now();
    asking = undefined;
    if (answer === undefined) {
      nextAt = now + restMs;
      restMs = Math.min(longestRestMs, 2 * restMs);
      return;
    }
    const pauseMs = restPerWork * (now - started);
    nextAt = started + Math.max(everyMs - everyMs / 10, pauseMs);
    restMs = firstRestMs;
    told = gpusOf(answer, tokens);
    [toldAt, freshMs] = [now, staleAfter * Math.max(everyMs, pauseMs)];
  };
  const isFresh = (): boolean => performance.now() - toldAt < freshMs;
  return {
    now: () => (isFresh() ? told : []),
    known: () => (isFresh() ? told : told.map((gpu) => ({ ...gpu, use: null, memoryBytes: null }))),
    look: () => {
      if (nvidiaSmi === undefined || asking !== undefined || performance.now() < nextAt) return;
      asking = ask(nvidiaSmi);
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await asking;
    },
  };
}

/** Of a MIG instance the driver tells no use, and its name is in no line. */
const gpusOf = (answer: readonly GpuUse[], tokens: readonly string[]): readonly GpuNow[] =>
  tokens.flatMap((token) => {
    const found = answer.find(({ index, uuid }) => index === token || uuid === token);
    return found === undefined ? [] : [{ ...found, token }];
  });
