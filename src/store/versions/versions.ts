import type { Table } from '@lancedb/lancedb';
import { openMain, openShard, shardNames, type IndexFolder } from '../tables.ts';

/** The clocks of nodes differ; a version that is newer must also be larger. */
export async function newestVersion(folder: IndexFolder): Promise<number> {
  let newest = 0;
  for await (const table of allTables(folder)) {
    const query = table
      .query()
      .select(['version'])
      .orderBy({ columnName: 'version', ascending: false })
      .limit(1);
    const [row] = (await query.toArray()) as { version: bigint }[];
    newest = Math.max(newest, Number(row?.version ?? 0));
  }
  return newest;
}

async function* allTables(folder: IndexFolder): AsyncGenerator<Table> {
  for (const kind of ['chunks', 'failures', 'removals'] as const) {
    for (const name of await shardNames(folder, kind)) {
      const shard = await openShard(folder, name);
      if (shard !== undefined) yield shard;
    }
    const main = kind === 'removals' ? undefined : await openMain(folder, kind);
    if (main !== undefined) yield main;
  }
}
