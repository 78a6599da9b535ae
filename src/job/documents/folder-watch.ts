/**
 * New and changed files, while the job serves. Network file systems tell nobody when a file comes, so the inputs are
 * listed again and again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { Looks } from '../../ingest/seen.ts';
import { countsText } from '../../observe/counts.ts';
import { logFailures } from '../../observe/failures.ts';
import type { IngestReport, Work } from '../../work.ts';

export interface FolderWatch {
  readonly work: Pick<Work, 'ingest'>;
  readonly inputs: readonly string[];
  /** Has been through the first ingest. */
  readonly looks: Looks;
  /** From one look to the next at least. */
  readonly leastPauseMs: number;
  readonly log: (level: 'info' | 'warn', line: string) => void;
}

/**
 * Looks until the signal is aborted. What fails is told once, and tried again at the next look.
 *
 * @param first what the first ingest did
 * @returns what all of them did; not complete when the last one was stopped before its end
 */
export async function watchFolders(
  { work, inputs, looks, leastPauseMs, log }: FolderWatch,
  first: IngestReport,
  signal: AbortSignal,
): Promise<IngestReport> {
  let sum = first;
  let told = '';
  let quietMs = 0;
  let isUnsettled = false;
  while (await untilLater(nextPauseMs(quietMs, isUnsettled, leastPauseMs), signal)) {
    const started = performance.now();
    const outcome = await look(work, inputs, looks, signal);
    const found = looks.endLook('report' in outcome && outcome.report.complete);
    isUnsettled = found.unsettled;
    if (!found.due) quietMs = performance.now() - started;
    if ('report' in outcome) {
      told = '';
      sum = added(sum, outcome.report, found.due);
      if (found.due && outcome.report.complete) log('info', `new files: ${countsText(outcome.report)}`);
      logFailures(outcome.report.failures, log);
    } else if (!signal.aborted) {
      if (outcome.problem !== told) log('warn', `new files cannot be ingested: ${outcome.problem}`);
      told = outcome.problem;
    }
  }
  return sum;
}

type Outcome = { readonly report: IngestReport } | { readonly problem: string };

async function look(
  work: Pick<Work, 'ingest'>,
  inputs: readonly string[],
  looks: Looks,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return { report: await work.ingest({ inputs, signal, seen: looks, rehash: false, prune: false }) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** Looking takes a twentieth of the time at most while it takes less than 45 seconds; never more than a third. */
export function nextPauseMs(quietMs: number, isUnsettled: boolean, leastPauseMs: number): number {
  const byCost = Math.max(Math.min(20 * quietMs, longestPauseMs), 2 * quietMs);
  return Math.max(isUnsettled ? Math.min(leastPauseMs, settleMs) : leastPauseMs, byCost);
}

const longestPauseMs = 15 * 60_000;
/** A file that does not change for so long is likely to be whole. */
const settleMs = 5000;

/** @returns false when it was stopped */
async function untilLater(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

const failuresKept = 10_000;

function added(sum: IngestReport, more: IngestReport, isWork: boolean): IngestReport {
  const { documents } = sum;
  return {
    documents: {
      processed: documents.processed + more.documents.processed,
      unchanged: documents.unchanged + more.documents.unchanged,
      failed: documents.failed + more.documents.failed,
      needs_ocr: documents.needs_ocr + more.documents.needs_ocr,
    },
    removed: sum.removed,
    chunks: sum.chunks + more.chunks,
    embedded: sum.embedded + more.embedded,
    failures: [...sum.failures, ...more.failures].slice(0, failuresKept),
    seconds: sum.seconds + more.seconds,
    complete: more.complete || !isWork,
  };
}
