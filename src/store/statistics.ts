import { MatchQuery, type Table } from '@lancedb/lancedb';
import { isShown, type Ledger } from './ledger.ts';
import { tablesOf, type Place } from './search.ts';
import { givenTextIndex, refreshTextIndex, wordsColumn } from './textindex.ts';
import { scan, type View } from './view.ts';

/** What BM25 must know of a table. Rows that may not be shown do not count. */
export interface TableStatistics {
  readonly table: Table;
  readonly place: Place;
  readonly rows: number;
  /** How many words all of them have. */
  readonly length: number;
  /** Of their texts; '' among them where some are of none that is known. */
  readonly languages: ReadonlySet<string>;
  /** How many rows have one of the words at least. */
  holders(words: readonly string[]): Promise<number>;
}

export interface Statistics {
  /** Of the tables that have a text index; where one is missing or too old it is made. */
  of(view: View): Promise<readonly TableStatistics[]>;
}

interface Kept {
  /** In all tables, when they were counted. */
  readonly rows: number;
  readonly tables: Promise<readonly TableStatistics[]>;
}

/** While a shard grows with every commit, it is counted anew when all have grown by this part. */
const growth = 0.05;

export function keepStatistics(): Statistics {
  const ofViews = new WeakMap<View, Kept>();
  return {
    of: async (view) => {
      const rows = await rowsOf(view);
      const kept = ofViews.get(view);
      if (kept !== undefined && rows <= kept.rows * (1 + growth)) return kept.tables;
      const counting = count(view);
      const tables = counting.then((counted) => counted.tables);
      ofViews.set(view, { rows, tables });
      const forget = (): unknown => ofViews.delete(view);
      counting.then(({ isWhole }) => isWhole || forget(), forget);
      return tables;
    },
  };
}

interface Counted {
  readonly tables: readonly TableStatistics[];
  /** False when a table could not be given an index: where the disk was full there may be room the next time. */
  readonly isWhole: boolean;
}

async function count(view: View): Promise<Counted> {
  const counts = await Promise.all(
    tablesOf(view).map(async ({ table, place }): Promise<TableStatistics | 'empty' | 'no index'> => {
      if ((await table.countRows()) === 0) return 'empty';
      // Without an index a search returns any rows.
      if (!(await (place === 'main' ? givenTextIndex(table) : refreshTextIndex(table)))) return 'no index';
      const isMainAlone = place === 'main' && view.ledger.size === 0;
      return isMainAlone ? countAll(table) : countShown(table, place, view.ledger);
    }),
  );
  return { tables: counts.filter((each) => typeof each === 'object'), isWhole: !counts.includes('no index') };
}

async function rowsOf(view: View): Promise<number> {
  const counts = await Promise.all(tablesOf(view).map(({ table }) => table.countRows()));
  return counts.reduce((sum, rows) => sum + rows, 0);
}

/** Main alone: all of its rows are shown. */
async function countAll(table: Table): Promise<TableStatistics> {
  let [rows, length] = [0, 0];
  const languages = new Set<string>();
  // By column: half a million rows take 0.1 s, row by row 0.5.
  for await (const batch of table.query().select(['length', 'language'])) {
    rows += batch.numRows;
    for (const each of batch.getChild('length') ?? []) length += Number(each);
    for (const each of batch.getChild('language') ?? []) languages.add(String(each));
  }
  return { table, place: 'main', rows, length, languages, holders: countHolders(table, new Set()) };
}

async function countShown(table: Table, place: Place, ledger: Ledger): Promise<TableStatistics> {
  let [rows, length] = [0, 0];
  const languages = new Set<string>();
  const hidden = new Set<bigint>();
  for await (const row of scan(table, ['document', 'hash', 'length', 'language', '_rowid'])) {
    const key = { document: String(row['document']), hash: String(row['hash']) };
    if (!isShown(ledger, key, place)) hidden.add(row['_rowid'] as bigint);
    else {
      rows += 1;
      length += Number(row['length']);
      languages.add(String(row['language']));
    }
  }
  return { table, place, rows, length, languages, holders: countHolders(table, hidden) };
}

/** 0.5 ms, and 0.3 us for each row that has the word: questions share most of their words. */
const mostRemembered = 100_000;

function countHolders(table: Table, hidden: ReadonlySet<bigint>): TableStatistics['holders'] {
  const counts = new Map<string, Promise<number>>();
  return (words) => {
    const key = words.join(' ');
    const before = counts.get(key);
    if (before !== undefined) return before;
    if (counts.size >= mostRemembered) counts.clear();
    const count = matching(table, key, hidden);
    counts.set(key, count);
    count.catch(() => counts.delete(key));
    return count;
  };
}

async function matching(table: Table, words: string, hidden: ReadonlySet<bigint>): Promise<number> {
  const all = table
    .query()
    .nearestToText(new MatchQuery(words, wordsColumn))
    .select(['_score'])
    .withRowId()
    .limit(2 ** 31 - 1);
  let count = 0;
  for await (const batch of all) {
    count += batch.numRows;
    if (hidden.size === 0) continue;
    for (const row of batch.getChild('_rowid') ?? []) if (hidden.has(row as bigint)) count -= 1;
  }
  return count;
}
