import type { Table } from '@lancedb/lancedb';
import { isShown, type Ledger } from '../ledger.ts';
import type { StoredRow } from '../write/rows.ts';
import type { Ranked } from '../types.ts';
import type { View } from '../view.ts';

/** A row that was found. */
export interface Found extends Ranked {
  /** These two decide whether it may be shown. */
  readonly document: string;
  readonly hash: string;
}

/** The best `limit` rows of a table, best first, shown or not. */
export type Fetch = (table: Table, limit: number) => Promise<Found[]>;

/** Queries at a time: Lance uses every core for one already; two hide what happens between them. */
const concurrency = 2;

export const found = (row: StoredRow, score: number): Found => ({
  chunk: String(row['chunk_id']),
  score,
  digest: Number(row['text_digest']),
  document: String(row['document']),
  hash: String(row['hash']),
});

export type Place = 'main' | 'shard';

const tablesOf = ({ main, shards }: View): { readonly table: Table; readonly place: Place }[] => [
  ...(main === undefined ? [] : [{ table: main, place: 'main' as const }]),
  ...[...shards.values()].map((table) => ({ table, place: 'shard' as const })),
];

/** One ranking over all tables: the best k that may be shown, best first. */
export async function search(view: View, k: number, fetch: Fetch): Promise<Ranked[]> {
  if (k <= 0) return [];
  const lists = await Promise.all(
    tablesOf(view).map(({ table, place }) => bestShown(table, place, view.ledger, k, fetch)),
  );
  return ranked(lists.flat())
    .slice(0, k)
    .map(({ chunk, score, digest }) => ({ chunk, score, digest }));
}

/**
 * Fetches more until k of the rows may be shown or there are no more. Nearly always that is the first time:
 * only replaced and unfinished documents are passed over, and consolidation removes those.
 * It also goes a little beyond k where the scores are equal, so that ties are broken by chunk, not by chance.
 */
async function bestShown(
  table: Table,
  place: Place,
  ledger: Ledger,
  k: number,
  fetch: Fetch,
): Promise<Found[]> {
  for (let limit = k + 8; ; limit *= 4) {
    const rows = await fetch(table, limit);
    const shown = ranked(rows.filter((row) => isShown(ledger, row, place)));
    const kth = shown[k - 1]?.score;
    const tied = kth !== undefined && kth <= (rows.at(-1)?.score ?? kth) && limit < 8 * k;
    if (rows.length < limit || (kth !== undefined && !tied)) return shown;
  }
}

/** Best first, ties by chunk; a chunk that is in main and still in its shard counts once. */
function ranked(hits: readonly Found[]): Found[] {
  const sorted = hits.toSorted((a, b) => b.score - a.score || (a.chunk < b.chunk ? -1 : 1));
  const seen = new Set<string>();
  return sorted.filter(({ chunk }) => !seen.has(chunk) && seen.add(chunk));
}

/** Runs the queries of a request, in order of the list. */
export async function mapLimited<In, Out>(
  items: readonly In[],
  run: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await run(items[at] as In);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
