/**
 * The tables are their own ledger. A document's row with ordinal 0 goes into its last commit, so that row says
 * "this version is complete"; the newest such row says which version is shown. Nothing else is written down
 * that could disagree with it.
 *
 * `main` holds complete documents only. The ledger therefore lists only documents that are complete in a
 * shard; of any other document, what is in main is shown and what is in a shard is not.
 */
export interface Complete {
  /** Empty when the document was removed. */
  readonly hash: string;
  readonly version: number;
  /** How many chunks the document has. */
  readonly chunks: number;
}

/** A document that is not there any more: rows of it that are older are not shown, and have no equal hash. */
export const removed = (version: number): Complete => ({ hash: '', version, chunks: 0 });

export const isRemoved = ({ hash }: Complete): boolean => hash === '';

export interface LedgerRow extends Complete {
  readonly document: string;
}

export type Ledger = Map<string, Complete>;

/** Whether a document was removed after something of this version was written of it. */
export function isRemovedSince(ledger: Ledger, document: string, version: number): boolean {
  const newest = ledger.get(document);
  return newest !== undefined && isRemoved(newest) && newest.version > version;
}

/** Of equal versions the later row wins: it was read later, or sent again. */
export function noteComplete(ledger: Ledger, { document, hash, version, chunks }: LedgerRow): void {
  const before = ledger.get(document);
  if (before === undefined || before.version <= version) ledger.set(document, { hash, version, chunks });
}

/** A document of main that is in a shard too: whichever is newer is shown. */
export function noteMain(ledger: Ledger, row: LedgerRow): void {
  if (ledger.has(row.document)) noteComplete(ledger, row);
}

export function isShown(
  ledger: Ledger,
  row: { readonly document: string; readonly hash: string },
  place: 'main' | 'shard',
): boolean {
  const newest = ledger.get(row.document);
  return newest === undefined ? place === 'main' : newest.hash === row.hash;
}

/** Rows of a version that is not complete, but may yet be: newer than what is shown. */
export function isPending(
  newest: Complete | undefined,
  row: { readonly hash: string; readonly version: number },
): boolean {
  return newest === undefined || (newest.hash !== row.hash && newest.version < row.version);
}
