/** Measures a run while it lives: what it does, how its GPUs are used. Goes on where the job's last run ended. */
import { join } from 'node:path';
import { readIfThere, writeAtomic } from '../../disk/atomic.ts';
import { findProgram } from '../../supervise/death-signal.ts';
import { addDeed, type Counts, type Deeds, makeDeeds, nothingDone } from './deeds.ts';
import { type GpuNow, openGpuWatch } from './gpu-watch.ts';
import { addUse, afterGap, unused } from './idle.ts';
import { addLatencies, type Latencies } from './latencies.ts';
import { noPast, parsePast, type Past, writtenPast } from './past.ts';
import { addSample, firstStepMs, type Sample } from './series.ts';
import { addFailure, afterRun, noneSetAside, type SetAside } from './set-aside.ts';

export interface Samples extends AsyncDisposable {
  readonly deeds: Deeds;
  /** Of this run. */
  counts(): Counts;
  /** Of the job, up to this moment. */
  past(): Past;
  /** Of one that was not told of lately neither use nor memory is known. */
  gpus(): readonly GpuNow[];
  /** How many requests the model servers have now. */
  queue(): number;
  /** Where that is asked from now on. */
  watchQueue(queue: () => number): void;
}

export interface SamplesOptions {
  /** The job's log folder. */
  readonly folder: string;
  readonly gpus: readonly string[];
  readonly path: string;
  /** Of every process of this run, for its environment. */
  readonly mark: Readonly<Record<string, string>>;
  /** Where the driver is asked; looked for when nothing is said. */
  readonly everyMs?: number;
  readonly now?: () => number;
  readonly onError: (error: unknown) => void;
}

/** A run that is killed has told all but its last two minutes. */
const writeEveryMs = 120_000;

const pastFile = (folder: string): string => join(folder, 'history.json');

export async function openSamples(options: SamplesOptions): Promise<Samples> {
  const { folder, gpus, path, mark, everyMs = firstStepMs, now = Date.now, onError } = options;
  const nvidiaSmi = gpus.length === 0 ? undefined : findProgram('nvidia-smi', path);
  const earlier = await readPast(folder, onError);
  const deeds = makeDeeds(onError);
  const watch = openGpuWatch({ nvidiaSmi, tokens: gpus, mark, everyMs });
  let counts: Counts = nothingDone;
  let counted: Counts = nothingDone;
  let [latest, complete]: [SetAside, boolean] = [noneSetAside, false];
  let past = withoutQuiet(earlier);
  let queue = (): number => 0;
  let last = { at: now(), clock: performance.now() };
  const stopListening = deeds.listen((deed) => {
    counts = addDeed(counts, deed);
    if (deed.deed === 'set-aside') latest = addFailure(latest, deed.failure);
    if (deed.deed === 'ingest-ended') complete ||= deed.complete;
  });
  const take = (): void => {
    const clock = performance.now();
    // A job that was suspended has not been looked at.
    const seconds = Math.min(clock - last.clock, 3 * everyMs) / 1000;
    const sample = { ...between(counted, counts, seconds), at: last.at, queueSeconds: queue() * seconds };
    past = { ...past, ...afterSample(past, sample, watch.now()) };
    last = { at: now(), clock };
    counted = counts;
  };
  const current = (): Past => ({ ...past, setAside: afterRun(earlier.setAside, latest, complete) });
  let writing = Promise.resolve();
  const write = (): void => {
    writing = writing.then(() => writeAtomic(pastFile(folder), writtenPast(current())).catch(onError));
  };
  const looking = setInterval(() => {
    take();
    watch.look();
  }, everyMs).unref();
  const keeping = setInterval(write, writeEveryMs).unref();
  return {
    deeds,
    counts: () => counts,
    past: current,
    gpus: () => watch.known(),
    queue: () => queue(),
    watchQueue: (asked) => {
      queue = asked;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(looking);
      clearInterval(keeping);
      stopListening();
      take();
      await watch[Symbol.asyncDispose]();
      write();
      await writing;
    },
  };
}

/** A file that is torn, or another program's, is begun anew. */
async function readPast(folder: string, onError: (error: unknown) => void): Promise<Past> {
  try {
    const text = await readIfThere(pastFile(folder));
    return text === undefined ? noPast : parsePast(text);
  } catch (error) {
    onError(error);
    return noPast;
  }
}

/** The job did not hold its GPUs between its runs. */
const withoutQuiet = (past: Past): Past => ({
  ...past,
  gpus: Object.fromEntries(
    Object.entries(past.gpus).map(([id, gpu]) => [id, { ...gpu, usage: afterGap(gpu.usage) }]),
  ),
});

const between = (
  before: Counts,
  after: Counts,
  seconds: number,
): Omit<Sample, 'at' | 'gpus' | 'queueSeconds'> => ({
  seconds,
  documents: after.documents - before.documents,
  failed: after.failed - before.failed,
  chunks: after.chunks - before.chunks,
  tokens: after.tokens - before.tokens,
  questions: latenciesBetween(before.questions, after.questions),
  retrievals: latenciesBetween(before.retrievals, after.retrievals),
});

const latenciesBetween = (before: Latencies, after: Latencies): Latencies =>
  Object.fromEntries(Object.entries(addLatencies(after, negated(before))).filter(([, count]) => count !== 0));

const negated = (latencies: Latencies): Latencies =>
  Object.fromEntries(Object.entries(latencies).map(([bucket, count]) => [bucket, -count]));

function afterSample(
  past: Past,
  sample: Omit<Sample, 'gpus'>,
  told: readonly GpuNow[],
): Pick<Past, 'series' | 'gpus'> {
  const { seconds } = sample;
  const amounts: Record<string, Sample['gpus'][string]> = {};
  const gpus = { ...past.gpus };
  for (const { uuid, name, use, memoryBytes, memoryTotalBytes } of told) {
    const known = gpus[uuid]?.usage ?? unused;
    gpus[uuid] = { name, memoryTotalBytes, usage: use === null ? known : addUse(known, use, seconds) };
    amounts[uuid] = {
      seconds: use === null ? 0 : seconds,
      useSeconds: (use ?? 0) * seconds,
      memoryBytes: memoryBytes ?? 0,
    };
  }
  return { series: addSample(past.series, { ...sample, gpus: amounts }), gpus };
}
