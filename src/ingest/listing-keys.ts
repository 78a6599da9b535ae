import { existsSync } from 'node:fs';
import { basename, join, relative as pathBetween, sep } from 'node:path';
import type { Source } from './listing-source.ts';
import type { Found } from './listing-walk.ts';

type Root = Extract<Source, { kind: 'folder' }>;

/** Gives each found file its key, or undefined when an earlier input has listed this very file. */
export type GiveKey = (source: Exclude<Source, { kind: 'missing' }>, found: Found) => string | undefined;

/**
 * A document's key is its path under its input root: below a folder or the fixed part of a glob, the name of a
 * single file, the path as written in a list. So the key does not change when inputs are added or reordered,
 * except where two inputs hold different files of the same relative path: then the later one's key gets the
 * name of its root in front (`reports/a.md`; `reports~2/a.md` when an earlier root has that name too).
 *
 * Nothing is remembered but the inputs themselves: an earlier folder is asked whether it holds the path.
 */
export function openKeys(): GiveKey {
  const roots: Root[] = [];
  const files = new Map<string, string>();
  const names = new Map<string, string>();
  return (source, found) => {
    const earlier = roots.filter((root) => root !== source);
    if (source.kind === 'folder' && !roots.includes(source)) roots.push(source);
    if (earlier.some((root) => holds(root, found.path)) || files.get(found.relative) === found.path)
      return undefined;
    const isTaken =
      earlier.some((root) => root.lists(found.relative) && existsSync(join(root.root, found.relative))) ||
      files.has(found.relative);
    if (source.kind === 'file' && !isTaken) files.set(found.relative, found.path);
    return withoutNumberSigns(isTaken ? `${nameOf(source.root, names)}/${found.relative}` : found.relative);
  };
}

/** As a URL writes it, `%23`: after a `#` a key names a row of a corpus. No two paths become one. */
const withoutNumberSigns = (path: string): string =>
  path.replace(/%(?=2[35])/gu, '%25').replaceAll('#', '%23');

function holds(root: Root, path: string): boolean {
  const below = pathBetween(root.root, path);
  return below !== '' && !below.startsWith('..') && root.lists(below.replaceAll(sep, '/'));
}

/** The root's base name, numbered when another root has it. @param names names by root, given so far */
function nameOf(root: string, names: Map<string, string>): string {
  const given = names.get(root);
  if (given !== undefined) return given;
  const base = basename(root) || 'root';
  const others = [...names.values()].filter((name) => name === base || name.startsWith(`${base}~`)).length;
  const name = others === 0 ? base : `${base}~${others + 1}`;
  names.set(root, name);
  return name;
}
