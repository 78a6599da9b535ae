import type { Table } from '@lancedb/lancedb';
import type { Resident } from './resident.ts';
import type { Place } from './search.ts';
import { mainName } from '../tables.ts';
import { countAll, countHolders, countShown, type TableCounts } from './table-counts.ts';
import { givenTextIndex, refreshTextIndex } from '../consolidate/textindex.ts';
import type { View } from '../view.ts';

/** What BM25 must know of a table. */
export interface TableStatistics extends Omit<TableCounts, 'hidden'> {
  readonly table: Table;
  readonly place: Place;
  /** How many of the rows have one of the words at least. */
  holders(words: readonly string[]): Promise<number>;
}

export interface Statistics {
  /** Of the tables that have a text index; where one is missing or too old it is made. */
  of(view: View, resident: () => Resident | undefined): Promise<readonly TableStatistics[]>;
}

interface Kept {
  readonly counts: TableCounts;
  /** How many rows have words that were asked for. */
  readonly holders: Map<string, Promise<number>>;
  readonly version: number;
  /** All there were, shown or not. */
  readonly stored: number;
}

/** A shard that grows with every commit is counted anew when it has grown by this part. */
const growth = 0.05;

/** A table is counted once for each of its versions, whatever becomes of the others. */
export function keepStatistics(): Statistics {
  let kept: ReadonlyMap<string, Kept> = new Map();
  const read: Statistics['of'] = async (view, resident) => {
    const all = await Promise.all(
      namedTables(view).map(async (named) => ({
        ...named,
        now: await countOnce(named, kept.get(named.name), view),
      })),
    );
    kept = new Map(all.flatMap(({ name, now }) => (now === undefined ? [] : [[name, now]])));
    return all.flatMap(({ table, place, now }) =>
      now === undefined
        ? []
        : [statisticsOf(table, place, now, place === 'main' ? resident : () => undefined)],
    );
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    // One after the other: questions that come together would all count.
    of: (view, resident) => {
      const result = last.then(() => read(view, resident));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

interface NamedTable {
  readonly name: string;
  readonly table: Table;
  readonly place: Place;
}

const namedTables = ({ main, shards }: View): NamedTable[] => [
  ...(main === undefined ? [] : [{ name: mainName('chunks'), table: main, place: 'main' as const }]),
  ...[...shards].map(([name, table]) => ({ name: `shards/${name}`, table, place: 'shard' as const })),
];

/** Undefined of a table without rows, and of one without an index, of which a search would return any rows. */
async function countOnce(
  { table, place }: NamedTable,
  before: Kept | undefined,
  { ledger }: View,
): Promise<Kept | undefined> {
  const stored = await table.countRows();
  if (stored === 0) return undefined;
  if (before !== undefined && isCurrent(before, place, await table.version(), stored)) return before;
  const isIndexed = await (place === 'main' ? givenTextIndex(table) : refreshTextIndex(table));
  if (!isIndexed) return undefined;
  const version = await table.version();
  const counts = place === 'main' ? await countAll(table) : await countShown(table, ledger);
  return { version, stored, counts, holders: new Map() };
}

function isCurrent(before: Kept, place: Place, version: number, stored: number): boolean {
  if (before.version === version && before.stored === stored) return true;
  return place === 'shard' && stored >= before.stored && stored <= before.stored * (1 + growth);
}

/** Questions share most of their words. */
const mostRemembered = 100_000;

function statisticsOf(
  table: Table,
  place: Place,
  { counts, holders }: Kept,
  resident: () => Resident | undefined,
): TableStatistics {
  const { rows, length, languages, hidden } = counts;
  return {
    table,
    place,
    rows,
    length,
    languages,
    holders: (words) => {
      const counted = words.length === 1 ? resident()?.holders(words[0] ?? '') : undefined;
      if (counted !== undefined) return Promise.resolve(counted);
      const key = words.join(' ');
      const before = holders.get(key);
      if (before !== undefined) return before;
      if (holders.size >= mostRemembered) holders.clear();
      const count = countHolders(table, key, hidden);
      holders.set(key, count);
      count.catch(() => holders.delete(key));
      return count;
    },
  };
}
