/** From what was done to an exit code and the last line of `--json`. Pure. */
import { constants } from 'node:os';
import { errorTable } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import type { ExitStatus } from '../../supervise/spec.ts';
import type { IngestReport } from '../../work.ts';

export interface Done {
  readonly ingest: IngestReport | null;
  /** It was stopped before the last document, or before the question was answered. */
  readonly workLeft: boolean;
  /** Why it was stopped, for people; undefined when it ended by itself. */
  readonly stopped?: string | undefined;
  /** How the user's command ended; the run ends as it did. */
  readonly workload?: ExitStatus;
}

/** @returns 0, 3 (too many failed) or 75 (stopped with work left) */
export function makeExitCode(
  { ingest, workLeft, workload }: Done,
  tolerated: Settings['RAG_MAX_FAILED'],
): number {
  if (workLeft) return errorTable.stopped.exit;
  if (workload !== undefined) return codeOf(workload);
  return ingest !== null && tooManyFailed(ingest, tolerated) ? errorTable['too-many-failed'].exit : 0;
}

function tooManyFailed({ documents }: IngestReport, tolerated: Settings['RAG_MAX_FAILED']): boolean {
  const failed = documents.failed + documents.needs_ocr;
  return exceeds(failed, documents.processed + documents.unchanged + failed, tolerated);
}

/** Whether more failed than RAG_MAX_FAILED allows. */
export function exceeds(failed: number, all: number, tolerated: Settings['RAG_MAX_FAILED']): boolean {
  if ('count' in tolerated) return failed > tolerated.count;
  return all > 0 && (100 * failed) / all > tolerated.percent;
}

/** The summary of SPEC 13. */
export const makeSummary = (
  report: IngestReport | null,
  seconds: number,
  exit: number,
): Record<string, unknown> => ({
  documents: report?.documents ?? { processed: 0, unchanged: 0, failed: 0, needs_ocr: 0 },
  removed: report?.removed ?? 0,
  chunks: report?.chunks ?? 0,
  embedded: report?.embedded ?? 0,
  failures: report?.failures ?? [],
  seconds: Math.round(seconds * 1000) / 1000,
  exit,
});

/** As a shell says it: 128 + n for signal n. */
const codeOf = ({ code, signal }: ExitStatus): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal]);

const toleratedText = (tolerated: Settings['RAG_MAX_FAILED']): string =>
  'count' in tolerated ? String(tolerated.count) : `${tolerated.percent}%`;

/** Why it ended so, for the last line of the log and for `status`. */
export function outcomeText(
  exit: number,
  { ingest, workLeft, workload, stopped }: Done,
  tolerated: Settings['RAG_MAX_FAILED'],
): string {
  const why = stopped === undefined ? '' : ` (${stopped})`;
  if (workLeft) return `stopped with work left${why}, the same command goes on`;
  if (workload !== undefined)
    return exit === 0
      ? `the workload is done${why}`
      : `the workload ended with ${workload.signal ?? exit}${why}`;
  if (exit === 0 || ingest === null) return `done${why}`;
  const { processed, unchanged, failed, needs_ocr } = ingest.documents;
  const all = processed + unchanged + failed + needs_ocr;
  return `done, but ${failed + needs_ocr} of ${all} documents failed, more than RAG_MAX_FAILED=${toleratedText(tolerated)} allows`;
}
