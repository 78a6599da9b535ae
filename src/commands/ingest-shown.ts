import type { Settings } from '../config/settings.ts';
import { makeExitCode, makeSummary, outcomeText } from '../job/life/outcome.ts';
import { countsText } from '../observe/counts.ts';
import { failureLine } from '../observe/failures.ts';
import type { IngestReport } from '../work.ts';
import type { VerbInput } from './verb.ts';

/** The same whoever did it. @returns the exit code */
export function showIngest(
  { line, print, tell }: Pick<VerbInput, 'line' | 'print' | 'tell'>,
  report: IngestReport,
  tolerated: Settings['RAG_MAX_FAILED'],
): number {
  const done = { ingest: report, workLeft: !report.complete };
  const exit = makeExitCode(done, tolerated);
  if (line.switches.has('json')) print(JSON.stringify(makeSummary(report, report.seconds, exit)));
  else {
    print(countsText(report));
    for (const failure of report.failures) print(`  ${failureLine(failure)}`);
  }
  if (exit !== 0) tell(outcomeText(exit, done, tolerated));
  return exit;
}
