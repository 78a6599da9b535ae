/** What several runs share: files, and of large corpora each slice, so that one file can be everybody's work. */
import { fileOf } from '../documents/failed.ts';
import type { Inputs } from '../work.ts';
import { fileState } from './file-state.ts';
import { listInputs, type ListedItem } from './listing.ts';
import type { PortionItem } from './portions.ts';
import { isNamedRows, mayNeedSlicing, sliceRows } from './slices.ts';

/** Questions to a file server that are under way at once. */
const atOnce = 64;

/** @throws no-input, aborted */
export async function* sharedItems(inputs: Inputs, signal: AbortSignal): AsyncGenerator<PortionItem> {
  let items: ListedItem[] = [];
  for await (const item of listInputs(inputs, signal)) {
    items.push(item);
    if (items.length < atOnce) continue;
    yield* withSlices(items);
    items = [];
  }
  yield* withSlices(items);
}

async function* withSlices(items: readonly ListedItem[]): AsyncGenerator<PortionItem> {
  const states = await Promise.all(
    items.map((item) => (item.kind === 'file' ? fileState(item.path) : Promise.resolve(undefined))),
  );
  for (const [at, item] of items.entries()) {
    const size = states[at]?.size ?? 0;
    if (item.kind === 'file' && mayNeedSlicing(fileOf(item), size)) yield* slicesOf(item, size);
    else yield item;
  }
}

/** A corpus of one slice goes as a file, which gets a stamp; so does what is none after all. */
async function* slicesOf(
  file: Extract<ListedItem, { kind: 'file' }>,
  size: number,
): AsyncGenerator<PortionItem> {
  if (size === 0 && isNamedRows(fileOf(file))) return;
  let isSliced = false;
  for await (const { from, to } of sliceRows(file.path, size)) {
    if (from === 0 && to === size) break;
    isSliced = true;
    yield { ...file, kind: 'rows', from, to };
  }
  if (!isSliced) yield file;
}
