import type { Table } from '@lancedb/lancedb';
import { openMain, openShard, shardNames, type IndexFolder, type Kind } from '../tables.ts';

/** The clocks of nodes differ; a version that is newer must also be larger. */
export const newestVersion = (folder: IndexFolder): Promise<number> =>
  newestIn(tablesOf(folder, ['chunks', 'failures', 'removals']));

/** Of what was removed, as far as it is not forgotten yet. */
export const newestRemoval = (folder: IndexFolder): Promise<number> =>
  newestIn(tablesOf(folder, ['removals']));

async function newestIn(tables: AsyncIterable<Table>): Promise<number> {
  let newest = 0;
  for await (const table of tables) {
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

async function* tablesOf(folder: IndexFolder, kinds: readonly Kind[]): AsyncGenerator<Table> {
  for (const kind of kinds) {
    for (const name of await shardNames(folder, kind)) {
      const shard = await openShard(folder, name);
      if (shard !== undefined) yield shard;
    }
    const main = kind === 'removals' ? undefined : await openMain(folder, kind);
    if (main !== undefined) yield main;
  }
}
