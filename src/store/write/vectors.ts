import type { Vector } from 'apache-arrow';
import { digestBits, textHash } from '../digest.ts';
import { fromHalf } from './half.ts';
import type { PackedRows } from '../wire/protocol.ts';
import type { StoredRow } from './rows.ts';
import { makeTextFilter, type TextFilter } from './text-filter.ts';
import { scan, type View } from '../view.ts';

/** The vectors of texts that stand in the index already, by the hashes of the texts. */
export interface StoredVectors {
  /** @param hashes sha256 of each text, hex */
  find(hashes: readonly string[]): Promise<Map<string, Float32Array>>;
  /** These rows were committed. */
  note(packed: PackedRows): void;
}

/**
 * Every row of an index was made by one encoder, so any row of the same text has its vector: also one that is hidden,
 * or of a document that was not finished. What other writers commit meanwhile is not seen; then a text is embedded
 * twice, which harms nothing.
 *
 * @param read gives the tables of the moment
 */
export function makeStoredVectors(
  read: <Out>(use: (view: View) => Promise<Out>) => Promise<Out>,
): StoredVectors {
  let filter: Promise<TextFilter> | undefined;
  return {
    find: async (hashes) => {
      filter ??= read(readFilter);
      const texts = await filter.catch((error: unknown) => {
        filter = undefined;
        throw error;
      });
      const wanted = hashes.filter((hash) => texts.mayHave(digestBits(hash)));
      return wanted.length === 0 ? new Map() : read((view) => findIn(view, wanted));
    },
    note: ({ rows }) => {
      // What is not read yet will be read with these rows.
      void filter?.then(
        (texts) => rows.forEach(({ text }) => texts.add(digestBits(textHash(text)))),
        () => undefined,
      );
    },
  };
}

const tablesOf = ({ main, shards }: View) => [...shards.values(), ...(main === undefined ? [] : [main])];

/** A million rows take some 0.1 s. */
async function readFilter(view: View): Promise<TextFilter> {
  const filter = makeTextFilter();
  for (const table of tablesOf(view)) {
    for await (const batch of table.query().select(['text_digest'])) {
      const digests = batch.getChild('text_digest')?.toArray() as BigInt64Array | undefined;
      for (const digest of digests ?? []) filter.add(Number(digest));
    }
  }
  return filter;
}

async function findIn(view: View, hashes: readonly string[]): Promise<Map<string, Float32Array>> {
  const wanted = new Set(hashes);
  const found = new Map<string, Float32Array>();
  const isAny = `text_digest IN (${hashes.map(digestBits).join(', ')})`;
  for (const table of tablesOf(view)) {
    for await (const row of scan(table, ['title', 'contents', 'vector'], isAny)) {
      const hash = textHash(textOf(row));
      if (wanted.delete(hash)) found.set(hash, numbersOf(row['vector'] as Vector));
    }
    if (wanted.size === 0) break;
  }
  return found;
}

const textOf = (row: StoredRow): string => String(row['contents']).slice(String(row['title']).length + 1);

export function numbersOf(vector: Vector): Float32Array {
  const stored = vector.toArray() as Float32Array | Uint16Array;
  return stored instanceof Uint16Array ? fromHalf(stored) : stored.slice();
}
