/** Documents that were set aside, for people: by name, with the reason. */
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
