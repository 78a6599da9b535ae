/** Documents that were set aside, and what should be known of others, for people: by name. */
import type { Failure } from '../work.ts';
import { onOneLine } from './terminal.ts';

export const failureLine = ({ document, reason }: Pick<Failure, 'document' | 'reason'>): string =>
  onOneLine(`${document}: ${reason}`);

/** A terminal is not to be flooded: the pictures beside saved web pages are thousands. */
const told = 20;
const toldReasons = 5;

/** Into the log of a run: whoever reads it tomorrow must find which documents are missing. */
export function logFailures(failures: readonly Failure[], log: (level: 'warn', line: string) => void): void {
  for (const failure of failures.slice(0, told)) log('warn', `set aside: ${failureLine(failure)}`);
  const reasons = Map.groupBy(failures.slice(told), ({ reason }) => reason);
  const sorted = [...reasons].toSorted(([, some], [, others]) => others.length - some.length);
  for (const [reason, { length }] of sorted.slice(0, toldReasons))
    log('warn', `set aside: ${length} more: ${onOneLine(reason)}`);
  const rest = sorted.slice(toldReasons).reduce((sum, [, { length }]) => sum + length, 0);
  if (rest > 0) log('warn', `set aside: ${rest} more for other reasons`);
}

/** For the documents of one ingest that were read and have something to be known about them. */
export function makeWarningLog(
  log: (level: 'info', line: string) => void,
): (document: string, warning: string) => void {
  let count = 0;
  return (document, warning) => {
    count += 1;
    if (count <= told) log('info', failureLine({ document, reason: warning }));
    if (count === told + 1)
      log('info', `there is something to be known of more documents than these ${told}`);
  };
}
