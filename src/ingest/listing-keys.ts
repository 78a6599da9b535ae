import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, relative as pathBetween, sep } from 'node:path';
import type { Source } from './listing-source.ts';
import type { Found } from './listing-walk.ts';

type Given = Exclude<Source, { kind: 'missing' }>;
type Root = Exclude<Given, { kind: 'file' }>;

/** Gives each found file its key, or undefined when an earlier input has listed this very file. */
export type GiveKey = (source: Given, found: Found) => string | undefined;

/**
 * A document's key is its path under its input root: below a folder or the fixed part of a glob, the name of a
 * single file, the path as written in a list. So the key does not change when inputs are added or reordered,
 * except where two inputs may hold different files of the same relative path: then the later one's key gets
 * the name of its root in front, and `//`, which stands in no path (`reports//a.md`; `reports~2//a.md` when
 * another root has that name).
 *
 * Nothing is remembered but the inputs themselves: an earlier folder is asked whether it holds the path. A list
 * may be long and is not read again: it counts as naming all that is below its root.
 */
export function openKeys(): GiveKey {
  const roots: Root[] = [];
  const files = new Map<string, string>();
  const names = new Map<string, string>();
  return (source, found) => {
    const earlier = roots.filter((root) => root !== source);
    if (source.kind !== 'file' && !roots.includes(source)) roots.push(source);
    if (earlier.some((root) => holds(root, found.path)) || files.get(found.relative) === found.path)
      return undefined;
    const isTaken = files.has(found.relative) || earlier.some((root) => mayHoldAnother(root, found));
    if (source.kind === 'file' && !isTaken) files.set(found.relative, found.path);
    return withoutNumberSigns(isTaken ? `${nameOf(source.root, names)}//${found.relative}` : found.relative);
  };
}

/** In front of the names of uploads, whatever other roots are called. */
const uploadsRoot = 'uploads';

/** The key of what was uploaded under a name: that of no file below an input. */
export const uploadKey = (name: string): string => `${uploadsRoot}//${withoutNumberSigns(name)}`;

/** What stood before `withoutNumberSigns`. */
export const withNumberSigns = (key: string): string =>
  key.replaceAll(/%25(?=2[35])|%23/gu, (found) => (found === '%23' ? '#' : '%'));

/** As a URL writes it, `%23`: after a `#` a key names a row of a corpus. No two paths become one. */
const withoutNumberSigns = (path: string): string =>
  path.replace(/%(?=2[35])/gu, '%25').replaceAll('#', '%23');

/** A folder that lists this very file. */
function holds(root: Root, path: string): boolean {
  const below = pathBetween(root.root, path);
  return (
    root.kind === 'folder' &&
    below !== '' &&
    !below.startsWith('..') &&
    root.lists(below.replaceAll(sep, '/'))
  );
}

/** Another file of the same key. An absolute path, of a list, is a key that no other input gives. */
function mayHoldAnother(root: Root, { path, relative }: Found): boolean {
  if (isAbsolute(relative) || (root.kind === 'folder' && !root.lists(relative))) return false;
  const other = join(root.root, relative);
  return other !== path && existsSync(other);
}

/** The root's base name, numbered when another root has it. @param names names by root, given so far */
function nameOf(root: string, names: Map<string, string>): string {
  const given = names.get(root);
  if (given !== undefined) return given;
  const base = basename(root) || 'root';
  const taken = new Set([uploadsRoot, ...names.values()]);
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}~${n}`;
  names.set(root, name);
  return name;
}
