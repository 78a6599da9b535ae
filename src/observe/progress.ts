/** How far an ingest is: a bar on a terminal, a line every 30 seconds in a file. */
import { Presets, SingleBar } from 'cli-progress';

import type { IngestProgress } from '../work.ts';
import { durationText, etaSeconds, speedText } from './pace.ts';

const lineEveryMs = 30_000;

export interface ProgressView extends Disposable {
  show(progress: IngestProgress): void;
}

export const openProgress = (onTerminal: boolean, tell: (line: string) => void): ProgressView =>
  onTerminal ? openBar() : openLines(tell);

/** Fits 80 columns. */
function openBar(): ProgressView {
  const format = '{bar} {value} of {total} documents, {failed} failed{left}';
  const bar = new SingleBar(
    { stream: process.stderr, format, barsize: 20, hideCursor: true },
    Presets.shades_grey,
  );
  const seconds = stopwatch();
  let shown = false;
  return {
    show: (progress) => {
      const { documentsDone, documentsTotal, failed } = progress;
      const payload = { failed, left: leftText(progress, seconds()) };
      if (!shown) bar.start(documentsTotal ?? documentsDone, 0, payload);
      shown = true;
      bar.setTotal(documentsTotal ?? documentsDone);
      bar.update(documentsDone, payload);
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function openLines(tell: (line: string) => void): ProgressView {
  const seconds = stopwatch();
  let latest: IngestProgress | undefined;
  const timer = setInterval(() => {
    if (latest !== undefined) tell(progressLine(latest, seconds()));
  }, lineEveryMs).unref();
  return {
    show: (progress) => {
      latest = progress;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

export function progressLine(progress: IngestProgress, seconds: number): string {
  const { documentsDone, documentsTotal, chunks, failed } = progress;
  const of = documentsTotal === null ? '' : ` of ${documentsTotal}`;
  return `ingest: ${documentsDone}${of} documents, ${chunks} chunks, ${failed} failed, ${speedText(progress, seconds)}${leftText(progress, seconds)}`;
}

function leftText(progress: IngestProgress, seconds: number): string {
  const eta = etaSeconds(progress, seconds);
  return eta === null || eta === 0 ? '' : `, ${durationText(eta)} left`;
}

function stopwatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
}
