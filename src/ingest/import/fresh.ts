/** From documents that are passages already to those passages that the index lacks. What it has is counted. */
import type { Known, Store } from '../../store/types.ts';
import type { BareRow } from '../chunk-rows.ts';
import { setAside } from '../fresh-rows.ts';
import type { Tally } from '../tally.ts';
import type { RowWriter } from '../writer.ts';
import type { Document } from './parts.ts';

export interface FreshStages {
  readonly store: Pick<Store, 'known'>;
  readonly tally: Tally;
  readonly writer: RowWriter;
}

export interface FreshRow {
  readonly row: BareRow;
  /** Its number among the vectors. */
  readonly at: number;
}

export async function* freshPassages(
  documents: AsyncIterable<readonly Document[]>,
  stages: FreshStages,
): AsyncGenerator<FreshRow> {
  const { store, tally } = stages;
  for await (const some of documents) {
    const keys = some.flatMap((one) =>
      one !== 'repeated' && 'rows' in one ? (one.rows[0]?.document ?? []) : [],
    );
    const known = keys.length === 0 ? new Map<string, Known>() : await store.known(keys);
    for (const one of some) {
      if (one === 'repeated') tally.unchanged(1);
      else if ('failure' in one) await setAside(one.failure, stages);
      else yield* passagesOf(one, known, stages);
    }
  }
}

async function* passagesOf(
  { rows, at, whole }: Extract<Document, { readonly rows: unknown }>,
  known: ReadonlyMap<string, Known>,
  stages: FreshStages,
): AsyncGenerator<FreshRow> {
  const { tally, writer } = stages;
  const [first] = rows;
  if (first === undefined) return;
  const { document, hash, file } = first;
  const { done = null, committed = [] } = known.get(document) ?? {};
  if (done === hash) {
    tally.unchanged(1);
    return;
  }
  // They would be shown beside the whole.
  if (whole && committed.some((chunk) => chunk !== first.chunk)) {
    await setAside({ document, hash, file, state: 'failed', reason: inParts }, stages);
    return;
  }
  const missing = [...rows.entries()].filter(
    ([, { ordinal, chunk }]) => ordinal === 0 || !committed.includes(chunk),
  );
  writer.expect(missing.map(([, row]) => row));
  tally.parsed(rows.length);
  for (const [n, row] of missing) yield { row, at: at + n };
}

const inParts =
  'an ingest that was stopped has stored parts of it: run that one to its end, or index remove the document';
