/** How far an ingest is: a bar on a terminal, a line every 30 seconds in a file. */
import type { IngestProgress } from '../work.ts';
import { barText } from './bar.ts';
import type { Terminal } from './live-line.ts';
import { durationText, etaSeconds, speedText } from './pace.ts';

const lineEveryMs = 30_000;

export interface ProgressView extends Disposable {
  show(progress: IngestProgress): void;
}

export interface ProgressPlace {
  /** Null: no terminal reads what is told. */
  readonly terminal: Terminal | null;
  readonly tell: (line: string) => void;
  /** Seconds that the job has; null: no limit, or not known. */
  readonly timeLeft?: () => number | null;
  /** Where the lines do not say it themselves: what it is that goes on. */
  readonly prefix?: string;
}

export function openProgress(place: ProgressPlace): ProgressView {
  const seconds = stopwatch();
  const { terminal, tell, timeLeft = () => null, prefix = 'ingest: ' } = place;
  if (terminal === null)
    return openLines((latest) => tell(`${prefix}${progressLine(latest, seconds(), timeLeft())}`));
  const line = terminal.openLine();
  return {
    show: (progress) => line.show((columns) => ingestBar(progress, seconds(), columns)),
    [Symbol.dispose]: () => line[Symbol.dispose](),
  };
}

/** For one piece of work: what is printed after it stands below the bar. */
export async function withProgress<T>(
  place: ProgressPlace,
  work: (onProgress: (progress: IngestProgress) => void) => Promise<T>,
): Promise<T> {
  using view = openProgress(place);
  return await work((progress) => view.show(progress));
}

function openLines(tell: (progress: IngestProgress) => void): ProgressView {
  let latest: IngestProgress | undefined;
  const timer = setInterval(() => {
    if (latest !== undefined) tell(latest);
  }, lineEveryMs).unref();
  return {
    show: (progress) => {
      latest = progress;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What matters most stands first: the bar leaves out the rest where the terminal is narrow. */
export function ingestBar(progress: IngestProgress, seconds: number, columns: number): string {
  const { documentsDone: done, documentsTotal: of, failed, chunks } = progress;
  const left = leftText(progress, seconds);
  return barText(
    {
      done,
      of,
      what: 'documents',
      more: [
        ...(failed === 0 ? [] : [`${failed.toLocaleString('en')} failed`]),
        ...(left === undefined ? [] : [`${left} left`]),
        `${chunks.toLocaleString('en')} chunks`,
        speedText(progress, seconds),
      ],
    },
    columns,
  );
}

/** @param timeLeft seconds of the job */
export function progressLine(
  progress: IngestProgress,
  seconds: number,
  timeLeft: number | null = null,
): string {
  const { documentsDone: done, documentsTotal: of, chunks, failed } = progress;
  const count = (value: number): string => value.toLocaleString('en');
  const total = of === null ? '' : ` of ${count(of)}`;
  const share = of === null || of === 0 ? '' : ` (${Math.floor((100 * done) / of)} %)`;
  const left = leftText(progress, seconds);
  const limit =
    timeLeft === null ? '' : `${left === undefined ? '' : ', '}the job has ${durationText(timeLeft)}`;
  return [
    `${count(done)}${total} documents${share}, ${count(chunks)} chunks, ${count(failed)} failed`,
    speedText(progress, seconds),
    ...(left === undefined && limit === '' ? [] : [`${left === undefined ? '' : `${left} left`}${limit}`]),
  ].join('; ');
}

function leftText(progress: IngestProgress, seconds: number): string | undefined {
  const eta = etaSeconds(progress, seconds);
  return eta === null || eta === 0 ? undefined : durationText(eta);
}

function stopwatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
}
