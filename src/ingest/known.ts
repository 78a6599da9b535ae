/** Asks the store about listed files before they are opened, many in one question. */
import type { ParseTask } from '../documents/types.ts';
import type { Known, Store } from '../store/types.ts';
import type { ListedItem } from './listing.ts';

/** One question to the index costs about the same for one document and for a thousand. */
const lookUp = 1000;

export type Task =
  | { readonly kind: 'parse'; readonly task: ParseTask; readonly known: ReadonlyMap<string, Known> }
  | { readonly kind: 'failed'; readonly item: Extract<ListedItem, { kind: 'failed' }> };

/** Files carry what is known under their names; rows, of corpora by any name, are only named once they are parsed. */
export async function* withKnown(
  items: AsyncIterable<ListedItem>,
  store: Pick<Store, 'known'>,
): AsyncGenerator<Task, void, undefined> {
  let files: Extract<ListedItem, { kind: 'file' }>[] = [];
  const flush = async (): Promise<Task[]> => {
    const batch = files;
    files = [];
    if (batch.length === 0) return [];
    const known = await store.known(batch.map((item) => item.key));
    return batch.map((item) => ({
      kind: 'parse',
      task: { ...item, known: known.get(item.key)?.done ?? null },
      known,
    }));
  };
  for await (const item of items) {
    if (item.kind === 'file') {
      files.push(item);
      if (files.length >= lookUp) yield* await flush();
    } else {
      yield* await flush();
      yield item.kind === 'rows' ? { kind: 'parse', task: item, known: new Map() } : { kind: 'failed', item };
    }
  }
  yield* await flush();
}
