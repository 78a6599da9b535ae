/** How many documents an ingest will meet: for the progress bar only. */
import { fileOf } from '../documents/failed.ts';
import type { Inputs } from '../work.ts';
import { listInputs } from './listing.ts';
import { isNamedRows } from './slices.ts';

/** Null when that is not known without parsing (a row of a corpus is a document). Opens no file. */
export async function countDocuments(inputs: Inputs, signal: AbortSignal): Promise<number | null> {
  let count = 0;
  for await (const item of listInputs(inputs, signal)) {
    if (item.kind === 'file' && isNamedRows(fileOf(item))) return null;
    count += 1;
  }
  return count;
}
