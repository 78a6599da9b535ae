/**
 * A stop is over when the GPUs are free as well. A process that is gone from /proc may still hold its memory while
 * the driver tears it down, and now and then for ever; the next job on that card would then fail for no visible reason.
 */
import { isMarked, readStat } from '../../machine/processes.ts';
import { type GpuProcess, readGpuProcesses } from '../../machine/gpu-processes.ts';
import { never, pause } from '../../supervise/pause.ts';

export interface GpuMemory {
  /** Notes which processes of this run hold GPU memory now; the driver knows them by pid alone later. */
  note(): Promise<void>;
  /** Waits until none of them that is gone holds any; the others go on. Gives those that still do in the end. */
  untilEndedFree(signal: AbortSignal): Promise<readonly GpuProcess[]>;
  /** Waits until none of them holds any. Gives those that still do in the end. */
  untilFree(): Promise<readonly GpuProcess[]>;
}

const askMs = 3_000;
const askEveryMs = 100;

/** Nobody presses at a switch, and a generator that finds the memory taken would end the job, after hours of ingest. */
const switchWaitMs = 60_000;

/**
 * @param nvidiaSmi undefined: there are no GPUs of this kind, nothing is asked
 * @param mark `NAME=value` in the environment of every process of this run
 * @param waitMs how long the driver may take after the end of a process, at a stop
 */
export function makeGpuMemory(
  nvidiaSmi: string | undefined,
  mark: string,
  waitMs: number = 5_000,
): GpuMemory {
  const ours = new Set<number>();
  const ending = new AbortController();
  // A question that hangs must not outlive us either.
  const [name = '', value = ''] = mark.split('=');
  const ask = async (signal: AbortSignal): Promise<readonly GpuProcess[]> =>
    nvidiaSmi === undefined
      ? []
      : ((await readGpuProcesses(nvidiaSmi, { timeoutMs: askMs, signal, env: { [name]: value } })) ?? []);
  let isStale = false;
  let noting: Promise<void> | undefined;
  /** Once more when somebody has asked meanwhile, not as often as somebody did. */
  const noteAll = async (): Promise<void> => {
    while (isStale && !ending.signal.aborted) {
      isStale = false;
      for (const { pid } of await ask(ending.signal)) if (isMarked(pid, mark)) ours.add(pid);
    }
    noting = undefined;
  };
  const untilNone = async (
    holds: (process: GpuProcess) => boolean,
    boundMs: number,
    signal: AbortSignal,
  ): Promise<readonly GpuProcess[]> => {
    const deadline = performance.now() + boundMs;
    for (;;) {
      const left =
        ours.size === 0 ? [] : (await ask(signal)).filter((one) => ours.has(one.pid) && holds(one));
      if (left.length === 0 || performance.now() > deadline) return left;
      if ((await pause(askEveryMs, signal)) === 'aborted') return left;
    }
  };
  const note = (): Promise<void> => {
    isStale = true;
    noting ??= noteAll();
    return noting;
  };
  return {
    note,
    untilEndedFree: (signal) => untilNone(({ pid }) => readStat(pid) === undefined, switchWaitMs, signal),
    untilFree: async () => {
      // Who has ended can be recognised no more.
      ending.abort();
      await noting;
      return untilNone(() => true, waitMs, never);
    },
  };
}
