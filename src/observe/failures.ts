/** Documents that were set aside, for people: by name, with the reason. */
import type { Failure } from '../work.ts';
import { onOneLine } from './terminal.ts';

export const failureLine = ({ document, reason }: Pick<Failure, 'document' | 'reason'>): string =>
  onOneLine(`${document}: ${reason}`);

/** A terminal is not to be flooded by a corpus of broken rows. */
const told = 20;

/** Into the log of a run: whoever reads it tomorrow must find which documents are missing. */
export function logFailures(failures: readonly Failure[], log: (level: 'warn', line: string) => void): void {
  for (const failure of failures.slice(0, told)) log('warn', `set aside: ${failureLine(failure)}`);
  const more = failures.length - told;
  if (more > 0) log('warn', `set aside: ${more} more`);
}
