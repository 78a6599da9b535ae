import { MatchQuery, type Table } from '@lancedb/lancedb';
import { isShown, type Ledger } from './ledger.ts';
import { hitOf, type StoredRow } from './rows.ts';
import { hitColumns } from './schema.ts';
import { givenTextIndex, refreshTextIndex } from './textindex.ts';
import type { StoredHit } from './types.ts';
import type { View } from './view.ts';

interface Found extends StoredHit {
  /** Decides with the document whether the hit may be shown. */
  readonly hash: string;
}

/** The best `limit` rows of a table, best first, shown or not. */
type Fetch = (table: Table, limit: number) => Promise<Found[]>;

/** Queries at a time: Lance uses every core for one already; two hide what happens between them. */
const concurrency = 2;

/**
 * Exact scan. By dot product, which for vectors of length 1 is the cosine and takes half its time on half
 * floats (20k x 1024: 68 against 126 ms); the query is brought to length 1 here.
 */
export const searchDense = (
  view: View,
  vectors: readonly Float32Array[],
  k: number,
): Promise<StoredHit[][]> =>
  mapLimited(vectors, (vector) => {
    const unit = toUnit(vector);
    return search(view, k, async (table, limit) => {
      const query = table.query().nearestTo(unit).distanceType('dot').bypassVectorIndex();
      const rows: StoredRow[] = await query
        .select([...hitColumns, '_distance'])
        .limit(limit)
        .toArray();
      return rows.map((row) => found(row, 1 - Number(row['_distance'])));
    });
  });

/**
 * BM25 of title and text. A query of punctuation or stop words has no hits. Scores of several tables are
 * merged as they are: each counts its own documents, so until shards share their statistics a ranking over
 * main and a large shard is not quite that of one table.
 */
export async function searchText(view: View, texts: readonly string[], k: number): Promise<StoredHit[][]> {
  const indexed = await withTextIndex(view);
  return mapLimited(texts, (text) =>
    search(indexed, k, async (table, limit) => {
      const query = table.query().nearestToText(new MatchQuery(text, 'contents'));
      const rows: StoredRow[] = await query
        .select([...hitColumns, '_score'])
        .limit(limit)
        .toArray();
      return rows.map((row) => found(row, Number(row['_score'])));
    }),
  );
}

/** Without an index a search returns any rows: a table that has none, and cannot have one, is left out. */
async function withTextIndex({ main, shards, ledger }: View): Promise<View> {
  const indexed = new Map<string, Table>();
  for (const [name, shard] of shards) if (await refreshTextIndex(shard)) indexed.set(name, shard);
  return {
    main: main !== undefined && (await givenTextIndex(main)) ? main : undefined,
    shards: indexed,
    ledger,
  };
}

const found = (row: StoredRow, score: number): Found => ({ ...hitOf(row, score), hash: String(row['hash']) });

type Place = 'main' | 'shard';

const tablesOf = ({ main, shards }: View): { readonly table: Table; readonly place: Place }[] => [
  ...(main === undefined ? [] : [{ table: main, place: 'main' as const }]),
  ...[...shards.values()].map((table) => ({ table, place: 'shard' as const })),
];

async function search(view: View, k: number, fetch: Fetch): Promise<StoredHit[]> {
  if (k <= 0) return [];
  const lists = await Promise.all(
    tablesOf(view).map(({ table, place }) => bestShown(table, place, view.ledger, k, fetch)),
  );
  return ranked(lists.flat())
    .slice(0, k)
    .map(({ hash: _hash, ...hit }) => hit);
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

function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

async function mapLimited<In, Out>(items: readonly In[], run: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await run(items[at] as In);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
