import type { Channel } from '../../supervise/spec.ts';
import { openConnection, type Connection } from './connection.ts';
import { makeCredit } from './credit.ts';
import type { PackedRows } from './protocol.ts';
import type { ChunkRow, EncoderRecord, Store } from '../types.ts';

export interface StoreOptions {
  /**
   * The channel of the host while it is ready; waits for the next host where it has ended. May give a channel
   * that has closed a moment ago: it is asked again.
   */
  readonly untilChannel: (signal: AbortSignal) => Promise<Channel>;
  /** Ends every request, those under way and those to come, with `aborted`. */
  readonly signal: AbortSignal;
  /** For one answer, restarts of the host included. Default: ten minutes, and a day for `consolidate`. */
  readonly timeoutMs?: number;
}

/** Vectors on their way to the host: enough to keep it busy, and flat however fast the caller is. */
const maxBytesInFlight = 16 * 1024 * 1024;

/**
 * The store as the supervisor sees it. Its host may die and be started again at any moment: requests that
 * were not answered are sent again, because every one of them may be done twice.
 * Disposing it ends its requests; the host belongs to the tree.
 *
 * @throws (its operations) aborted; service-failed when the host does not answer in time or dies three times
 *   of the same request; what `Store` says
 */
export function openStore(options: StoreOptions): Store & AsyncDisposable {
  const connection = openConnection(options);
  const credit = makeCredit(maxBytesInFlight);
  // It is written once: every question asks for it, and after the first nobody need look.
  let recorded: EncoderRecord | null = null;
  const request: Connection['request'] = (...what) => connection.request(...what);
  return {
    beginWriting: (encoder, writer) => request('beginWriting', [encoder, writer]),
    vectorsOf: (hashes) => request('vectorsOf', [hashes]),
    append: async (rows) => {
      if (rows.length === 0) return [];
      const packed = pack(rows);
      return credit(packed.vectors.byteLength, () => request('append', [packed]));
    },
    recordFailures: (rows) => request('recordFailures', [rows]),
    documents: (query) => request('documents', [query]),
    selectNamed: (names) => request('selectNamed', [names]),
    selectUnmet: (listing) => request('selectUnmet', [listing]),
    remove: (documents) => request('remove', [documents]),
    consolidate: (signal) => request('consolidate', [], signal),
    release: () => request('release', []),
    known: (documents) => request('known', [documents]),
    corpusState: (corpus) => request('corpusState', [corpus]),
    searchDense: (vectors, k, filter) => request('searchDense', [vectors, k, filter]),
    searchText: (texts, k, filter) => request('searchText', [texts, k, filter]),
    samples: () => request('samples', []),
    tune: (questions, depth, signal) => request('tune', [questions, depth], signal),
    vectorIndex: () => request('vectorIndex', []),
    passages: (chunks) => request('passages', [chunks]),
    version: () => request('version', []),
    inspect: () => request('inspect', []),
    verify: () => request('verify', []),
    writers: () => request('writers', []),
    exportTo: (folder, what) => request('exportTo', [folder, what]),
    tag: (name) => request('tag', [name]),
    tags: () => request('tags', []),
    untag: (name) => request('untag', [name]),
    encoder: async () => (recorded ??= await request('encoder', [])),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

function pack(rows: readonly ChunkRow[]): PackedRows {
  const vectors = new Float32Array(rows.reduce((sum, { vector }) => sum + vector.length, 0));
  let at = 0;
  const bare = rows.map(({ vector, ...row }) => {
    vectors.set(vector, at);
    at += vector.length;
    return row;
  });
  return { rows: bare, vectors };
}
