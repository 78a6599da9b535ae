/** Where the shown rows of an index lie, in an order that does not hang on how they came there. */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Table } from '@lancedb/lancedb';
import { isShown } from '../ledger.ts';
import { scan, type View } from '../view.ts';

export interface Place {
  readonly document: string;
  readonly ordinal: number;
  readonly table: Table;
  readonly row: bigint;
}

/** By document, then by position in it; each passage once. May be gone through several times. */
export type Places = () => Generator<Place>;

/** Sorted at one go: some 3 s. The host must answer pings in between. */
const runRows = 500_000;

/** Holds a document's name and 16 bytes a row, some 100 bytes in all. */
export async function sortedPlaces({ main, shards, ledger }: View): Promise<Places> {
  const runs: Place[][] = [];
  let run: Place[] = [];
  const endRun = async (): Promise<void> => {
    runs.push(run.sort(byDocument));
    run = [];
    await otherWork();
  };
  for (const table of [...shards.values(), ...(main === undefined ? [] : [main])]) {
    const place = table === main ? 'main' : 'shard';
    for await (const row of scan(table, ['document', 'hash', 'ordinal', '_rowid'])) {
      const key = { document: String(row['document']), hash: String(row['hash']) };
      if (!isShown(ledger, key, place)) continue;
      run.push({
        document: key.document,
        ordinal: Number(row['ordinal']),
        table,
        row: row['_rowid'] as bigint,
      });
      if (run.length === runRows) await endRun();
    }
  }
  await endRun();
  return () => merged(runs);
}

const byDocument = (a: Place, b: Place): number =>
  a.document < b.document ? -1 : a.document > b.document ? 1 : a.ordinal - b.ordinal;

/** A row that is in a shard and in main counts once. */
function* merged(runs: readonly (readonly Place[])[]): Generator<Place> {
  const at = runs.map(() => 0);
  let last: Place | undefined;
  for (;;) {
    let first: { readonly place: Place; readonly run: number } | undefined;
    for (const [run, places] of runs.entries()) {
      const place = places[at[run] ?? 0];
      if (place !== undefined && (first === undefined || byDocument(place, first.place) < 0))
        first = { place, run };
    }
    if (first === undefined) return;
    at[first.run] = (at[first.run] ?? 0) + 1;
    if (last === undefined || byDocument(last, first.place) !== 0) yield first.place;
    last = first.place;
  }
}
