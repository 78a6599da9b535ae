import { matchesGlob } from 'node:path';
import type { Table } from '@lancedb/lancedb';
import { allRowsOf, digestOf, holds, type Digests } from './digest.ts';
import { isRemovedSince, isShown } from './ledger.ts';
import { openMain, openShard, shardNames, type IndexFolder } from './tables.ts';
import { scan, type View } from './view.ts';
import { isPattern } from './pattern.ts';

/** A document that stands in the index: complete, or set aside. */
export interface StoredDocument {
  readonly document: string;
  readonly file: string;
}

/** Documents by name. A name with wildcards is a glob of keys where no document has that very key. */
export interface Names {
  /** The key of a corpus stands for its rows. */
  readonly keys: readonly string[];
  /** Absolute paths of files, or of folders with all that is in them. */
  readonly files: readonly string[];
}

/** What was listed and read, to tell what was not. */
export interface Listing {
  readonly roots: readonly ListedRoot[];
  /** Of the keys that were met, and `allRowsOf` corpora; sorted. */
  readonly met: Digests;
}

export interface ListedRoot {
  /** Absolute path. */
  readonly root: string;
  /** What was listed of it, by paths below it; null: everything that is not hidden. */
  readonly glob: string | null;
}

const isBelow = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
const isHidden = (relative: string): boolean => relative.split('/').some((name) => name.startsWith('.'));

export async function selectNamed(folder: IndexFolder, view: View, names: Names): Promise<StoredDocument[]> {
  const keys = new Set(names.keys);
  const exact = new Set<string>();
  const globs = names.keys.filter(isPattern);
  const found = new Map<string, { readonly at: StoredDocument; readonly globs: readonly string[] }>();
  for await (const at of storedDocuments(folder, view)) {
    const named = [at.document, at.document.split('#', 1)[0] ?? ''].filter((key) => keys.has(key));
    for (const key of named) exact.add(key);
    const isOfFile = names.files.some((file) => at.file === file || isBelow(at.file, file));
    const matched = globs.filter((glob) => matchesGlob(at.document, glob));
    if (isOfFile || named.length > 0) found.set(at.document, { at, globs: [] });
    else if (matched.length > 0) found.set(at.document, { at, globs: matched });
  }
  return [...found.values()]
    .filter((each) => each.globs.length === 0 || each.globs.some((glob) => !exact.has(glob)))
    .map(({ at }) => at);
}

/** Documents of files below the roots that were not met. */
export async function selectUnmet(
  folder: IndexFolder,
  view: View,
  { roots, met }: Listing,
): Promise<StoredDocument[]> {
  const unmet = new Map<string, StoredDocument>();
  const isMet = makeIsMet(met);
  for await (const at of storedDocuments(folder, view)) {
    if (roots.some((root) => lists(root, at.file)) && !isMet(at.document)) unmet.set(at.document, at);
  }
  return [...unmet.values()];
}

/** Rows of a corpus follow each other: it is looked up once for all of them. */
function makeIsMet(met: Digests): (document: string) => boolean {
  let last = { corpus: '', isMet: false };
  return (document) => {
    const end = document.indexOf('#');
    if (end < 0) return holds(met, digestOf(document));
    const corpus = document.slice(0, end);
    if (corpus !== last.corpus) last = { corpus, isMet: holds(met, allRowsOf(corpus)) };
    return last.isMet || holds(met, digestOf(document));
  };
}

function lists({ root, glob }: ListedRoot, file: string): boolean {
  if (!isBelow(file, root)) return false;
  const relative = file.slice(root.endsWith('/') ? root.length : root.length + 1);
  return !isHidden(relative) && (glob === null || matchesGlob(relative, glob));
}

/** A document that lies in several tables may come several times. */
async function* storedDocuments(folder: IndexFolder, view: View): AsyncGenerator<StoredDocument> {
  const { main, shards, ledger } = view;
  const columns = ['document', 'hash', 'file'];
  const tables: [Table, 'main' | 'shard'][] = [...shards.values()].map((table) => [table, 'shard']);
  if (main !== undefined) tables.push([main, 'main']);
  for (const [table, place] of tables) {
    for await (const row of scan(table, columns, 'ordinal = 0')) {
      const document = String(row['document']);
      if (isShown(ledger, { document, hash: String(row['hash']) }, place))
        yield { document, file: String(row['file']) };
    }
  }
  for await (const row of failureRows(folder)) {
    const document = String(row['document']);
    if (!isRemovedSince(ledger, document, Number(row['version'])))
      yield { document, file: String(row['file']) };
  }
}

async function* failureRows(folder: IndexFolder): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const columns = ['document', 'file', 'version'];
  for (const name of await shardNames(folder, 'failures')) {
    const shard = await openShard(folder, name);
    if (shard !== undefined) yield* scan(shard, columns);
  }
  const main = await openMain(folder, 'failures');
  if (main !== undefined) yield* scan(main, columns);
}
