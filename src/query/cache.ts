import type { Hit } from '../work.ts';

/** What `/status` shows of retrieval. */
export interface RetrievalFigures {
  /** Asked for, those that stood twice in one request counted twice. */
  readonly queries: number;
  readonly computed: number;
  /** Answered from the cache. */
  readonly cached: number;
  /** `cached` / (`cached` + `computed`); null before the first query. */
  readonly hit_rate: number | null;
  readonly cache_entries: number;
  readonly cache_bytes: number;
}

/** Hits of queries that were asked before, as long as the index is what it was. */
export interface RetrievalCache {
  /** What was found in another version is forgotten. Read the version before the search, never after it. */
  at(version: string): void;
  count(answered: Pick<RetrievalFigures, 'queries' | 'computed' | 'cached'>): void;
  get(key: string): readonly Hit[] | undefined;
  /** @param version in which, or after which, it was found */
  set(key: string, hits: readonly Hit[], version: string): void;
  figures(): RetrievalFigures;
}

/** Objects and numbers of a hit, beside its strings. */
const BYTES_PER_HIT = 500;

/** @param maxBytes beyond it what was not asked for the longest time goes first */
export function makeRetrievalCache(maxBytes: number): RetrievalCache {
  const entries = new Map<string, { readonly hits: readonly Hit[]; readonly bytes: number }>();
  let current = '';
  let bytes = 0;
  let queries = 0;
  let cached = 0;
  let computed = 0;
  const forget = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  return {
    at(version) {
      if (version === current) return;
      current = version;
      entries.clear();
      bytes = 0;
    },
    count(answered) {
      queries += answered.queries;
      computed += answered.computed;
      cached += answered.cached;
    },
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key); // a Map keeps the order of insertion: to its end
      entries.set(key, found);
      return found.hits;
    },
    set(key, hits, version) {
      const size = sizeOf(key, hits);
      if (version !== current || size > maxBytes) return;
      forget(key);
      entries.set(key, { hits, bytes: size });
      bytes += size;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
    },
    figures: () => ({
      queries,
      computed,
      cached,
      hit_rate: cached + computed === 0 ? null : cached / (cached + computed),
      cache_entries: entries.size,
      cache_bytes: bytes,
    }),
  };
}

/** Two bytes for each character: what V8 takes at most. */
const sizeOf = (key: string, hits: readonly Hit[]): number =>
  hits.reduce(
    (sum, { text, title, file, document, headings }) =>
      sum +
      BYTES_PER_HIT +
      2 * (text.length + title.length + file.length + document.length + headings.join().length),
    BYTES_PER_HIT + 2 * key.length,
  );
