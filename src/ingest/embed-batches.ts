/** Rows in, rows with vectors out: full batches, two in flight, equal texts sent once, bad texts set aside. */
import { culpritOf } from '../models/embed.ts';
import type { Embed } from '../models/types.ts';
import type { ChunkRow } from '../store/types.ts';
import type { BareRow } from './chunk-rows.ts';
import { concurrently } from './concurrently.ts';

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
  embed: Embed,
  signal: AbortSignal,
): AsyncGenerator<EmbeddedBatch, void, undefined> {
  return concurrently(inBatches(rows, batchTexts), inFlight, (batch) => embedBatch(batch, embed, signal));
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

/** A text that the model refuses is taken out, with its document; the rest of the batch is sent again. */
async function embedBatch(
  batch: readonly BareRow[],
  embed: Embed,
  signal: AbortSignal,
): Promise<EmbeddedBatch> {
  const refused: { row: BareRow; error: unknown }[] = [];
  let texts = [...new Set(batch.map((row) => row.text))];
  for (;;) {
    try {
      const vectors = texts.length === 0 ? [] : await embed({ texts, kind: 'passage', signal });
      const byText = new Map(texts.map((text, index) => [text, vectors[index]]));
      const rows = batch.flatMap((row) => {
        const vector = byText.get(row.text);
        return vector === undefined ? [] : [{ ...row, vector }];
      });
      return { rows, refused, texts: texts.length };
    } catch (error) {
      const culprit = texts[culpritOf(error) ?? -1];
      if (culprit === undefined) throw error;
      refused.push(...batch.filter((row) => row.text === culprit).map((row) => ({ row, error })));
      texts = texts.filter((text) => text !== culprit);
    }
  }
}
