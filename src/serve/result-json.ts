/** The answer to many queries: half a gigabyte of JSON, written while others are answered as well. */
import { setImmediate as othersFirst } from 'node:timers/promises';
import { RagError } from '../errors.ts';

/** For which others may wait. */
const turnMs = 10;

/**
 * `{"result":[...]}` in pieces, one for each list: one text of it would hold the process for seconds, and V8 holds none of
 * 512 MiB at all.
 *
 * @throws aborted when the client has gone
 */
export async function resultPieces<Item>(
  lists: readonly (readonly Item[])[],
  show: (item: Item) => unknown,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const pieces = [Buffer.from('{"result":[')];
  let since = performance.now();
  for (const [at, list] of lists.entries()) {
    const text = JSON.stringify(list.map((item) => show(item)));
    pieces.push(Buffer.from(at === 0 ? text : `,${text}`));
    if (performance.now() - since < turnMs) continue;
    await othersFirst();
    if (signal.aborted) throw new RagError('aborted', 'Cannot write the answer: its client has gone');
    since = performance.now();
  }
  return [...pieces, Buffer.from(']}')];
}
