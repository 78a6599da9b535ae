import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { reasonOf } from '../documents/read.ts';

/** A file under a root, or what stands there instead. `relative` has `/` on every system. */
export interface Found {
  readonly path: string;
  readonly relative: string;
  /** Why it is not to be read; undefined for a file. */
  readonly reason?: string;
  /** It is a folder that cannot be listed: nobody knows what is in it. */
  readonly isFolder?: true;
}

export const isHidden = (relative: string): boolean =>
  relative.split('/').some((name) => name.startsWith('.'));

/**
 * The files under a folder, each folder sorted by name, so that two walks agree. Hidden names are passed over.
 * A link is followed to a file inside the root and to nothing else: a folder inside is met under its own name,
 * and what lies outside is reported, never read. Holds one folder's names at a time, for each level.
 */
export async function* walkFolder(root: string): AsyncGenerator<Found> {
  yield* walk(root, '', await realpath(root));
}

async function* walk(folder: string, prefix: string, realRoot: string): AsyncGenerator<Found> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield {
      path: folder,
      relative: prefix.slice(0, -1),
      reason: `the folder cannot be listed: ${reasonOf(error)}`,
      isFolder: true,
    };
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const found = { path: join(folder, entry.name), relative: prefix + entry.name };
    if (await isMisread(found))
      yield {
        ...found,
        reason: 'its name is not UTF-8: rename it',
        ...(entry.isDirectory() && { isFolder: true }),
      };
    else if (entry.isDirectory()) yield* walk(found.path, `${found.relative}/`, realRoot);
    else if (entry.isFile()) yield found;
    else if (entry.isSymbolicLink()) yield* followLink(found, realRoot);
    else yield { ...found, reason: 'it is not a regular file' };
  }
}

/** Node puts U+FFFD for bytes that are no UTF-8, as in names of the nineties: by that name nothing can be opened. */
const isMisread = async ({ path, relative }: Found): Promise<boolean> =>
  relative.includes('\uFFFD') &&
  (await lstat(path).then(
    () => false,
    () => true,
  ));

async function* followLink(found: Found, realRoot: string): AsyncGenerator<Found> {
  try {
    const target = await realpath(found.path);
    const isInside =
      target.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep) || target === realRoot;
    if (!isInside) yield { ...found, reason: 'it is a link that leaves the input folder' };
    else if ((await stat(target)).isFile()) yield found;
  } catch (error) {
    yield { ...found, reason: `it is a link that leads nowhere: ${reasonOf(error)}` };
  }
}
