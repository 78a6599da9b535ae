/** How far an ingest is: a bar on a terminal, a line every 30 seconds in a file. */
import { Presets, SingleBar } from 'cli-progress';

import type { IngestProgress } from '../work.ts';

const lineEveryMs = 30_000;

export interface ProgressView extends Disposable {
  show(progress: IngestProgress): void;
}

export const openProgress = (onTerminal: boolean, tell: (line: string) => void): ProgressView =>
  onTerminal ? openBar() : openLines(tell);

function openBar(): ProgressView {
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format:
        'ingest {bar} {value}/{total} documents | {chunks} chunks | {failed} failed | {eta_formatted} left',
      hideCursor: true,
      clearOnComplete: false,
    },
    Presets.shades_grey,
  );
  let shown = false;
  return {
    show: ({ documentsDone, documentsTotal, chunks, failed }) => {
      const total = documentsTotal ?? documentsDone;
      if (!shown) bar.start(total, 0, { chunks, failed });
      shown = true;
      bar.setTotal(total);
      bar.update(documentsDone, { chunks, failed });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function openLines(tell: (line: string) => void): ProgressView {
  let last: string | undefined;
  let latest: IngestProgress | undefined;
  const started = performance.now();
  const say = (): void => {
    const line =
      latest === undefined ? undefined : progressLine(latest, (performance.now() - started) / 1000);
    if (line === undefined || line === last) return;
    last = line;
    tell(line);
  };
  const timer = setInterval(say, lineEveryMs).unref();
  return {
    show: (progress) => {
      latest = progress;
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      say();
    },
  };
}

function progressLine(progress: IngestProgress, seconds: number): string {
  const { documentsDone, documentsTotal, chunks, failed } = progress;
  const of = documentsTotal === null ? '' : ` of ${documentsTotal}`;
  const speed = (documentsDone / Math.max(seconds, 0.001)).toFixed(1);
  return `ingest: ${documentsDone}${of} documents, ${chunks} chunks, ${failed} failed, ${speed} documents/s`;
}
