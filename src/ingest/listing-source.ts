import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, matchesGlob, normalize, resolve } from 'node:path';
import { reasonOf } from '../documents/read.ts';
import { type Found, isHidden, walkFolder } from './listing-walk.ts';

/** What one input turned out to be. Everything is relative to its root, which gives documents their keys. */
export type Source =
  | { readonly kind: 'file'; readonly path: string; readonly root: string }
  | {
      readonly kind: 'folder';
      readonly root: string;
      /** Null: all that is not hidden. */
      readonly glob: string | null;
      readonly lists: (relative: string) => boolean;
    }
  /** One path a line. Relative ones are below its root. */
  | { readonly kind: 'list'; readonly path: string; readonly root: string }
  | { readonly kind: 'missing'; readonly path: string; readonly reason: string };

const globStart = /[*?[{]/u;

/**
 * @param given a file, a folder, a glob or `@list`; a name that exists is never taken for a pattern
 * @param from what relative paths are below
 */
export async function readSource(given: string, from: string = resolve('.')): Promise<Source> {
  const input = withHome(given);
  const path = resolve(from, input);
  const reason = await unreadable(path);
  if (reason === undefined) {
    const isFolder = (await stat(path)).isDirectory();
    return isFolder
      ? { kind: 'folder', root: path, glob: null, lists: (relative) => !isHidden(relative) }
      : { kind: 'file', path, root: dirname(path) };
  }
  if (input.startsWith('@')) return readList(withHome(input.slice(1)), from);
  return globStart.test(input) ? readGlob(input, from) : { kind: 'missing', path: input, reason };
}

/** As a shell does it, which quotes, lists and settings have not met. `./~` is a file of that name. */
const withHome = (path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;

async function readList(given: string, from: string): Promise<Source> {
  const path = resolve(from, given);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const reason = isFolder ? 'it is a folder, and @ wants a list of paths' : await unreadable(path);
  return reason === undefined ? { kind: 'list', path, root: from } : { kind: 'missing', path: given, reason };
}

/** The folder before the first wildcard is the root; the rest is matched against paths below it. */
async function readGlob(input: string, from: string): Promise<Source> {
  const beforeWildcard = input.slice(0, input.search(globStart));
  const cut = beforeWildcard.lastIndexOf('/') + 1;
  const root = resolve(from, cut === 0 ? '.' : input.slice(0, cut));
  const pattern = input.slice(cut);
  const reason = await unreadable(root);
  if (reason !== undefined) return { kind: 'missing', path: input, reason };
  return {
    kind: 'folder',
    root,
    glob: pattern,
    lists: (relative) => !isHidden(relative) && matchesGlob(relative, pattern),
  };
}

async function unreadable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

export async function* filesOf(source: Exclude<Source, { kind: 'missing' }>): AsyncGenerator<Found> {
  if (source.kind === 'list') {
    for await (const line of linesOf(source.path)) yield* filesOfLine(withHome(line), source.root);
  } else if (source.kind === 'file') {
    yield await foundFile(source.path, basename(source.path));
  } else {
    for await (const found of walkFolder(source.root)) {
      if (found.isFolder === true || source.lists(found.relative)) yield found;
    }
  }
}

/** A path in a list is its own key, as it is written there; a folder stands for what is in it. */
async function* filesOfLine(line: string, from: string): AsyncGenerator<Found> {
  const path = resolve(from, line);
  const key = normalize(line).replace(/\/+$/u, '');
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    yield await foundFile(path, key);
    return;
  }
  for await (const found of walkFolder(path)) yield { ...found, relative: `${key}/${found.relative}` };
}

async function foundFile(path: string, relative: string): Promise<Found> {
  try {
    return (await stat(path)).isFile()
      ? { path, relative }
      : { path, relative, reason: 'it is not a regular file' };
  } catch (error) {
    return { path, relative, reason: reasonOf(error) };
  }
}

/** Lines end with `\n` only: node's own reader of lines also splits names at U+2028. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.map(withoutReturn).filter((line) => line !== '');
  }
  if (withoutReturn(rest) !== '') yield withoutReturn(rest);
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
