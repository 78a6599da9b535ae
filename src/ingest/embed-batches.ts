/** Rows in, rows with vectors out: full batches, two in flight to each server, those of refused texts set aside. */
import type { ChunkRow } from '../store/types.ts';
import type { BareRow } from './chunk-rows.ts';
import { concurrently } from './concurrently.ts';
import type { EmbedOnce } from './embed-once.ts';

/** One embed instance works strictly serially; 64 texts a request make the request's own cost vanish. */
const batchTexts = 64;
/** Two in flight hide the gap in which the server tokenises; more only queue up. */
const inFlight = 2;

export interface EmbeddedBatch {
  readonly rows: readonly ChunkRow[];
  readonly refused: readonly { readonly row: BareRow; readonly error: unknown }[];
  /** Texts that were sent and answered. */
  readonly texts: number;
}

export function embedBatches(
  rows: AsyncIterable<BareRow>,
  { embedOnce, embedders = 1 }: { readonly embedOnce: EmbedOnce; readonly embedders?: number },
  signal: AbortSignal,
): AsyncGenerator<EmbeddedBatch, void, undefined> {
  return concurrently(inBatches(rows, batchTexts), embedders * inFlight, (batch) =>
    embedBatch(batch, embedOnce, signal),
  );
}

async function* inBatches(
  rows: AsyncIterable<BareRow>,
  size: number,
): AsyncGenerator<BareRow[], void, undefined> {
  let batch: BareRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function embedBatch(
  batch: readonly BareRow[],
  embedOnce: EmbedOnce,
  signal: AbortSignal,
): Promise<EmbeddedBatch> {
  const { embedded, sent } = await embedOnce(batch, signal);
  const rows: ChunkRow[] = [];
  const refused: { row: BareRow; error: unknown }[] = [];
  for (const [at, row] of batch.entries()) {
    const result = embedded[at];
    if (result === undefined) continue;
    if ('vector' in result) rows.push({ ...row, vector: result.vector });
    else refused.push({ row, error: result.refused });
  }
  return { rows, refused, texts: sent };
}
