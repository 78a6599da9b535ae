/** Ingests uploads while the job serves: what this process is sent at once, what others are when it looks. */
import { messageOf } from '../../errors.ts';
import { countsText } from '../../observe/counts.ts';
import { logFailures } from '../../observe/failures.ts';
import { orAborted, pause } from '../../supervise/pause.ts';
import type { IngestReport } from '../../work.ts';

export interface TakingInput {
  /** Ingests what waits; undefined: there was nothing. */
  readonly take: (signal: AbortSignal) => Promise<IngestReport | undefined>;
  /** Resolves when something was sent since it was called. */
  readonly untilSent: () => Promise<void>;
  /** 0: others are not looked after. */
  readonly lookEveryMs: number;
  readonly log: (level: 'info' | 'warn', line: string) => void;
}

/** What fails is told once, and tried again. */
const retryMs = 30_000;

/** Ends when the signal is aborted. */
export async function takeUploads(
  { take, untilSent, lookEveryMs, log }: TakingInput,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    const sent = untilSent();
    const problem = await attempt(take, log, signal);
    if (problem !== '' && problem !== told && !signal.aborted)
      log('warn', `uploads cannot be ingested, they are tried again: ${problem}`);
    told = problem;
    await untilNext(sent, problem === '' ? lookEveryMs : Math.max(lookEveryMs, retryMs), signal);
  }
}

/** @returns what went wrong */
async function attempt(
  take: TakingInput['take'],
  log: TakingInput['log'],
  signal: AbortSignal,
): Promise<string> {
  try {
    const report = await take(signal);
    if (report === undefined) return '';
    const { processed, failed, needs_ocr: scans } = report.documents;
    if (processed + failed + scans > 0) log('info', `uploads: ${countsText(report)}`);
    logFailures(report.failures, log);
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

async function untilNext(sent: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const waits = ms === 0 ? [sent] : [sent, pause(ms, over.signal)];
  await orAborted(Promise.race(waits), signal);
  over.abort();
}
