/** What is seen of the inputs of an ingest, so that a supervisor can tell whether it sees the same. */
import { dirname } from 'node:path';
import { lookAt, type Sight } from '../disk/sight.ts';
import { listInputs } from '../ingest/listing.ts';
import type { Inputs } from '../work.ts';

/** Of a folder that both see, one file tells as much as all; other disks may be mounted below it. */
const listedFirst = 512;
const sampled = 32;

/**
 * The folders of the first files, and some of these files.
 * @throws no-input when none of the inputs can be read here; aborted
 */
export async function sightsOf(inputs: Inputs, signal: AbortSignal): Promise<Sight[]> {
  const files: string[] = [];
  for await (const item of listInputs(inputs, signal)) {
    if (item.kind === 'file') files.push(item.path);
    if (files.length >= listedFirst) break;
  }
  const every = Math.max(1, Math.floor(files.length / sampled));
  const some = files.filter((_, at) => at % every === 0).slice(0, sampled);
  const folders = [...new Set(some.map((file) => dirname(file)))];
  const sights = await Promise.all([...folders, ...some].map(lookAt));
  return sights.filter((sight) => sight !== undefined);
}
