/** Documents that were set aside, as the tables have them. */
import type { Table } from '@lancedb/lancedb';
import { openMain, openShard, shardNames, type IndexFolder } from '../tables.ts';
import type { FailureRow } from '../types.ts';
import { scan } from '../view.ts';

export type NewestFailure = Pick<FailureRow, 'hash' | 'state' | 'reason'> & { readonly version: number };

/** The newest failure of each document. There are few. */
export async function newestFailures(folder: IndexFolder): Promise<Map<string, NewestFailure>> {
  const tables: (Table | undefined)[] = [];
  for (const name of await shardNames(folder, 'failures')) tables.push(await openShard(folder, name));
  tables.push(await openMain(folder, 'failures'));
  const newest = new Map<string, NewestFailure>();
  for (const table of tables) {
    if (table === undefined) continue;
    for await (const row of scan(table, ['document', 'hash', 'state', 'reason', 'version'])) {
      const document = String(row['document']);
      const version = Number(row['version']);
      if (version < (newest.get(document)?.version ?? 0)) continue;
      newest.set(document, {
        hash: String(row['hash']),
        state: row['state'] as FailureRow['state'],
        reason: String(row['reason']),
        version,
      });
    }
  }
  return newest;
}
