/** What a batch of questions did, for people. Ids and reasons only: a question's text is nobody else's. */
import { onOneLine } from './terminal.ts';

export interface BatchCounts {
  readonly answered: number;
  readonly unchanged: number;
  readonly failed: number;
}

const mostFailures = 20;

export function batchText(
  { answered, unchanged, failed }: BatchCounts,
  failures: readonly { readonly id: string; readonly code: string; readonly message: string }[],
): string {
  const left = failures.length - mostFailures;
  return [
    `${answered} answered, ${unchanged} answered before, ${failed} failed`,
    ...failures
      .slice(0, mostFailures)
      .map(({ id, code, message }) => `  ${onOneLine(`${id}: ${code}: ${message}`)}`),
    ...(left > 0 ? [`  and ${left} more: see "error" in the file of answers`] : []),
  ].join('\n');
}
