import { setImmediate as turn } from 'node:timers/promises';

/** Works through items without keeping the thread: after every `perTurn` of them others are let in. */
export async function inTurns<Item>(
  items: Iterable<Item>,
  work: (item: Item) => void,
  { perTurn, signal }: { readonly perTurn: number; readonly signal: AbortSignal },
): Promise<'done' | 'aborted'> {
  let done = 0;
  for (const item of items) {
    work(item);
    done += 1;
    if (done % perTurn !== 0) continue;
    await turn();
    if (signal.aborted) return 'aborted';
  }
  return 'done';
}
