import type { Table } from '@lancedb/lancedb';
import { isPending, isRemoved, type Complete } from '../ledger.ts';
import { inList } from '../tables.ts';
import type { Known } from '../types.ts';
import { scan, scanLedger, type View } from '../view.ts';

/** Documents in one query. */
const batchSize = 1_000;

/**
 * @param ownShard is not asked for pending rows: what this run has committed, it knows
 * @param saw is told the versions that the answer comes from
 */
export async function known(
  view: View,
  documents: readonly string[],
  ownShard: string | undefined,
  saw: (version: number) => void,
): Promise<Map<string, Known>> {
  const result = new Map<string, Known>();
  const others = [...view.shards].filter(([name]) => name !== ownShard).map(([, table]) => table);
  for (let at = 0; at < documents.length; at += batchSize) {
    const batch = documents.slice(at, at + batchSize);
    const newest = await newestOf(view, batch);
    for (const { version } of newest.values()) saw(version);
    const pending = await pendingOf(others, batch, newest, saw);
    for (const document of batch) {
      result.set(document, {
        done: doneHash(newest.get(document)),
        committed: [...(pending.get(document) ?? [])],
      });
    }
  }
  return result;
}

const doneHash = (newest: Complete | undefined): string | null =>
  newest === undefined || isRemoved(newest) ? null : newest.hash;

/** The ledger has the documents of the shards; only the rest is looked up in main. */
export async function newestOf(
  { main, ledger }: Pick<View, 'main' | 'ledger'>,
  documents: readonly string[],
): Promise<Map<string, Complete>> {
  const newest = new Map<string, Complete>();
  for (const document of documents) {
    const complete = ledger.get(document);
    if (complete !== undefined) newest.set(document, complete);
  }
  const rest = documents.filter((document) => !newest.has(document));
  if (main === undefined) return newest;
  for (let at = 0; at < rest.length; at += batchSize) {
    const heads = `ordinal = 0 AND ${inList('document', rest.slice(at, at + batchSize))}`;
    for await (const { document, ...complete } of scanLedger(main, heads)) newest.set(document, complete);
  }
  return newest;
}

async function pendingOf(
  shards: readonly Table[],
  documents: readonly string[],
  newest: ReadonlyMap<string, Complete>,
  saw: (version: number) => void,
): Promise<Map<string, Set<string>>> {
  const pending = new Map<string, Set<string>>();
  for (const shard of shards) {
    for await (const row of scan(
      shard,
      ['document', 'hash', 'version', 'chunk_id'],
      inList('document', documents),
    )) {
      const document = String(row['document']);
      const version = { hash: String(row['hash']), version: Number(row['version']) };
      if (!isPending(newest.get(document), version)) continue;
      saw(version.version);
      const chunks = pending.get(document) ?? new Set();
      pending.set(document, chunks.add(String(row['chunk_id'])));
    }
  }
  return pending;
}
