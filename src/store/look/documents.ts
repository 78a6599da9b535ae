/** The documents of an index as a list: which there are, and what became of each. */
import { newestFailures, type NewestFailure } from './failures.ts';
import { isRemoved, isRemovedSince } from '../ledger.ts';
import { inList, type IndexFolder, sqlString } from '../tables.ts';
import type { DocumentsQuery, StoredEntry } from '../types.ts';
import { scan, scanLedger, type View } from '../view.ts';

/**
 * One page, by key in the order of its code units. Each page scans the ledger's columns of what lies behind its
 * beginning; held is a page, and the failures.
 */
export async function documents(
  folder: IndexFolder,
  view: View,
  query: DocumentsQuery,
): Promise<StoredEntry[]> {
  const failures = await newestFailures(folder);
  const page = makePage(query);
  const met = (document: string, complete: Complete): void => {
    const failure = failures.get(document);
    failures.delete(document);
    const failed = failure !== undefined && failure.version > complete.version ? failure : undefined;
    page.add(
      failed === undefined ? processed(document, complete) : failedEntry(document, failed, complete.chunks),
    );
  };
  for (const [document, complete] of view.ledger)
    if (!isRemoved(complete) && page.isWanted(document)) met(document, complete);
  if (view.main !== undefined)
    for await (const row of scanLedger(view.main, ['ordinal = 0', ...whereOf(query)].join(' AND ')))
      if (!view.ledger.has(row.document) && page.isWanted(row.document)) met(row.document, row);
  for (const [document, failure] of failures) {
    const isGone = isRemovedSince(view.ledger, document, failure.version);
    if (!isGone && page.isWanted(document)) page.add(failedEntry(document, failure, 0));
  }
  return withTitles(view, page.entries());
}

interface Complete {
  readonly hash: string;
  readonly version: number;
  readonly chunks: number;
}

type Bare = Omit<StoredEntry, 'title'>;

const processed = (document: string, { hash, version, chunks }: Complete): Bare => ({
  document,
  hash,
  version,
  chunks,
  state: 'processed',
  reason: null,
});

const failedEntry = (
  document: string,
  { hash, version, state, reason }: NewestFailure,
  chunks: number,
): Bare => ({
  document,
  hash,
  version,
  chunks,
  state,
  reason,
});

interface Page {
  isWanted(document: string): boolean;
  add(entry: Bare): void;
  entries(): readonly Bare[];
}

function makePage({ after = '', limit, states, keys }: DocumentsQuery): Page {
  const named = keys === undefined ? undefined : new Set(keys);
  let kept: Bare[] = [];
  /** A whole page lies before it. */
  let end: string | undefined;
  const cut = (): void => {
    kept = kept.toSorted((a, b) => (a.document < b.document ? -1 : 1)).slice(0, limit);
    end = kept.length < limit ? undefined : kept.at(-1)?.document;
  };
  return {
    isWanted: (document) =>
      document > after && (end === undefined || document <= end) && named?.has(document) !== false,
    add: (entry) => {
      if (states?.includes(entry.state) === false) return;
      kept.push(entry);
      if (kept.length >= 4 * limit + 1000) cut();
    },
    entries: () => {
      cut();
      return kept;
    },
  };
}

/** The engine compares bytes, which for what begins with these characters is the order of code units too. */
const isPlain = (text: string): boolean => !/[\uD800-\uFFFF]/.test(text);

function whereOf({ after = '', keys }: DocumentsQuery): string[] {
  if (keys !== undefined) return [inList('document', keys)];
  return after !== '' && isPlain(after) ? [`document > ${sqlString(after)}`] : [];
}

async function withTitles({ main, shards }: View, bare: readonly Bare[]): Promise<StoredEntry[]> {
  const titles = new Map<string, string>();
  const shown = bare.filter(({ state }) => state === 'processed');
  if (shown.length > 0) {
    const where = `ordinal = 0 AND ${inList(
      'document',
      shown.map(({ document }) => document),
    )}`;
    for (const table of [main, ...shards.values()])
      if (table !== undefined)
        for await (const row of scan(table, ['document', 'hash', 'title'], where))
          titles.set(`${String(row['document'])}\0${String(row['hash'])}`, String(row['title']));
  }
  return bare.map((entry) => ({ ...entry, title: titles.get(`${entry.document}\0${entry.hash}`) ?? '' }));
}
