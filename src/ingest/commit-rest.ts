/** The end of every write path, however it comes. */
import { codeOf } from '../errors.ts';
import type { RowWriter } from './writer.ts';

/**
 * What is embedded when the work ends, is stopped or fails is committed before anybody is told.
 *
 * @returns false when it was stopped
 * @throws what the work throws, or what the commit does
 */
export async function commitRest(
  writer: Pick<RowWriter, 'flush'>,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<boolean> {
  let isStopped = false;
  try {
    await work();
  } catch (error) {
    isStopped = signal.aborted && codeOf(error) === 'aborted';
    if (!isStopped) {
      await writer.flush().catch(() => {}); // the first error is the one to tell
      throw error;
    }
  }
  await writer.flush();
  return !isStopped;
}
