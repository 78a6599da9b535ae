/**
 * Which chunks of unfinished documents stand in a shard. Of every document that is complete, the shard of its first chunk
 * has all chunks: so it is merged, carried on or left alone as a whole, whoever wrote the others, and whatever becomes of
 * where they were.
 */
import type { PackedRows } from '../wire/protocol.ts';

type Row = PackedRows['rows'][number];

/** A document of which a commit has the first chunk, and not all others stand in the shard. */
export interface Short {
  readonly document: string;
  readonly hash: string;
  /** Ordinals. */
  readonly missing: ReadonlySet<number>;
}

export interface Standing {
  /** What the documents that these rows would complete lack. */
  shortOf(rows: readonly Row[]): Short[];
  /** They are committed. */
  note(rows: readonly Pick<Row, 'document' | 'hash' | 'ordinal' | 'of'>[]): void;
}

/** Some bytes for each chunk of a document that is under way; pure. */
export function makeStanding(): Standing {
  const standing = new Map<string, Set<number>>();
  return {
    shortOf: (rows) => {
      const here = new Map<string, Set<number>>();
      for (const row of rows) if (row.of > 1) add(here, row);
      return rows
        .filter(({ ordinal, of }) => ordinal === 0 && of > 1)
        .map(({ document, hash, of }) => {
          const key = keyOf({ document, hash });
          const has = (ordinal: number): boolean =>
            here.get(key)?.has(ordinal) === true || standing.get(key)?.has(ordinal) === true;
          const all = Array.from({ length: of }, (_, ordinal) => ordinal);
          return { document, hash, missing: new Set(all.filter((ordinal) => !has(ordinal))) };
        })
        .filter(({ missing }) => missing.size > 0);
    },
    note: (rows) => {
      for (const row of rows) if (row.of > 1) add(standing, row);
      for (const row of rows) if (row.ordinal === 0) standing.delete(keyOf(row));
    },
  };
}

export const keyOf = ({ document, hash }: Pick<Row, 'document' | 'hash'>): string => `${document}\0${hash}`;

function add(ordinals: Map<string, Set<number>>, row: Pick<Row, 'document' | 'hash' | 'ordinal'>): void {
  const key = keyOf(row);
  const some = ordinals.get(key) ?? new Set();
  ordinals.set(key, some.add(row.ordinal));
}
