import { MatchQuery, type Table } from '@lancedb/lancedb';
import { found, mapLimited, search } from './search.ts';
import type { StoredRow } from './rows.ts';
import { hitColumns } from './schema.ts';
import { givenTextIndex, refreshTextIndex } from './textindex.ts';
import type { StoredHit } from './types.ts';
import type { View } from './view.ts';

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
