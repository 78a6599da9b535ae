/** Removes documents of the given folders whose file, or whose row, is gone. */
import { lstat, realpath } from 'node:fs/promises';
import { allRowsOf, digestOf, makeDigestList, sortDigests } from '../store/digest.ts';
import type { ListedRoot, StoredDocument } from '../store/select.ts';
import type { Store } from '../store/types.ts';
import { fileOf } from './origins.ts';

/** What a run met on its way: 8 to 16 bytes a document. */
export interface Sightings {
  /** A document, or a file that was to be one. */
  see(key: string): void;
  /** Every row of a corpus: what was not seen of it is gone. */
  readCorpus(key: string): void;
  /** A corpus that needed no reading: all rows that the index has of it are there. */
  passOver(key: string): void;
  /** A folder of which every file was listed. */
  listed(root: ListedRoot): void;
}

export interface Pruning extends Sightings {
  /** To be called when everything was met and is in the index. @returns how many documents were removed */
  prune(store: Pick<Store, 'selectUnmet' | 'remove'>): Promise<number>;
}

export const noSightings: Sightings = {
  see: () => undefined,
  readCorpus: () => undefined,
  passOver: () => undefined,
  listed: () => undefined,
};

/** Questions to the file system at a time. */
const lookUps = 1000;

export function makePruning(): Pruning {
  const met = makeDigestList();
  const corpora = new Set<string>();
  const roots: ListedRoot[] = [];
  return {
    see: (key) => met.add(digestOf(key)),
    readCorpus: (key) => void corpora.add(key),
    passOver: (key) => met.add(allRowsOf(key)),
    listed: (root) => void roots.push(root),
    prune: async (store) => {
      if (roots.length === 0) return 0;
      const unmet = await store.selectUnmet({
        roots: await withRealPaths(roots),
        met: sortDigests(met.slice()),
      });
      let removed = 0;
      const isThere = makeLookUp();
      for (let at = 0; at < unmet.length; at += lookUps) {
        const some = unmet.slice(at, at + lookUps);
        const gone = await Promise.all(some.map((document) => isGone(document, corpora, isThere)));
        const documents = some.filter((_, index) => gone[index]).map(({ document }) => document);
        await store.remove(documents);
        removed += documents.length;
      }
      return removed;
    },
  };
}

/** The same folder may have been named by a link before. */
async function withRealPaths(roots: readonly ListedRoot[]): Promise<ListedRoot[]> {
  const real = await Promise.all(
    roots.map(async ({ root, glob }) => ({ root: await realpath(root).catch(() => root), glob })),
  );
  return [...roots, ...real];
}

/**
 * A file that was not met may be there all the same: as a document of another input, or because another run has just
 * brought it. So it is asked for once more, by its name; only a clear no counts.
 */
async function isGone(
  { document, file }: StoredDocument,
  corpora: ReadonlySet<string>,
  isThere: (file: string) => Promise<boolean>,
): Promise<boolean> {
  // A row of it, or the file itself as the document that it was before.
  return corpora.has(fileOf(document)) || !(await isThere(file));
}

/** Rows of one corpus follow each other, and all are of one file, which is asked for once. */
function makeLookUp(): (file: string) => Promise<boolean> {
  let last: { readonly file: string; readonly there: Promise<boolean> } | undefined;
  return (file) => {
    if (last?.file !== file)
      last = {
        file,
        there: lstat(file).then(
          () => true,
          ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
        ),
      };
    return last.there;
  };
}
