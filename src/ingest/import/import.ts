/** The write path for passages that have their vectors: list -> ask the store what is known -> take the vector -> commit. */
import { RagError } from '../../errors.ts';
import type { EncoderRecord, Metric, Store } from '../../store/types.ts';
import type { IngestProgress, IngestReport } from '../../work.ts';
import { commitRest } from '../commit-rest.ts';
import { setAside } from '../fresh-rows.ts';
import { counting, makeTally } from '../tally.ts';
import { makeRowWriter } from '../writer.ts';
import { freshPassages, type FreshRow, type FreshStages } from './fresh.ts';
import type { Part } from './parts.ts';

export interface ImportStages {
  readonly store: Pick<Store, 'known' | 'append' | 'recordFailures'>;
  readonly encoder: Pick<EncoderRecord, 'metric'>;
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
  /** Aborting it drains, as in an ingest. */
  readonly signal: AbortSignal;
}

/** Memory is that of a few slices, windows and commits, however long the corpus. @throws disk-full, bad-document */
export async function importParts(
  parts: readonly Part[],
  { store, encoder, onProgress, signal }: ImportStages,
): Promise<IngestReport> {
  const started = performance.now();
  const tally = makeTally(onProgress);
  const writer = makeRowWriter(store, counting(tally));
  const stages = { store, tally, writer };
  const complete = await commitRest(writer, signal, async () => {
    for (const part of parts)
      for await (const fresh of freshPassages(part.documents(signal), stages)) {
        if (signal.aborted) throw new RagError('aborted', 'Cannot import to the end: stopped');
        await take(fresh, part, encoder.metric, stages);
      }
  });
  return { ...tally.report(), complete, seconds: (performance.now() - started) / 1000 };
}

async function take({ row, at }: FreshRow, part: Part, metric: Metric, stages: FreshStages): Promise<void> {
  const { tally, writer } = stages;
  const vector = asStored(await part.vectors.at(at), metric);
  if (vector !== undefined) {
    tally.embedded([row], 0);
    return writer.add({ ...row, vector });
  }
  if (!writer.drop(row)) return; // another passage of its document was refused before
  const { document, hash, file } = row;
  const reason = `row ${at} of ${part.vectors.path} is no vector: not all of its numbers are finite, or all are 0`;
  await setAside({ document, hash, file, state: 'failed', reason }, stages);
}

/** Undefined for what cannot be compared with anything. */
export function asStored(vector: Float32Array, metric: Metric): Float32Array | undefined {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (!Number.isFinite(sum) || sum === 0) return undefined;
  return metric === 'cosine' ? vector.map((value) => value / Math.sqrt(sum)) : vector;
}
