/** The versions of an index that have a name, as files: what the supervisor may know without the library of the tables. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';

export interface Tag {
  readonly name: string;
  /** ISO 8601. */
  readonly made: string;
  readonly documents: number;
  readonly chunks: number;
  /** Complete by then, but in shards of runs that were still writing. */
  readonly left_out: { readonly documents: number; readonly shards: number };
}

export const tagsOf = (root: string): string => path.join(root, 'tags');
export const tagFile = 'tag.json';

/** The index that a tag names. */
export const tagFolder = (root: string, name: string): string => path.join(tagsOf(root), name);

/** @throws usage */
export function assertTagName(name: string): void {
  if (/^[\w\-][\w.\-]*$/v.test(name)) return;
  throw new RagError('usage', `Cannot tag as "${name}": a name has letters, digits, ".", "-" and "_"`, {
    hint: 'node dist/supervisor.js index tag paper-1',
  });
}

/** By name. */
export async function listTags(root: string): Promise<Tag[]> {
  const names = await readdir(tagsOf(root)).catch(() => []);
  const tags = await Promise.all(
    names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => readTag(root, name)),
  );
  return tags.filter((tag) => tag !== undefined);
}

export async function readTag(root: string, name: string): Promise<Tag | undefined> {
  if (name.startsWith('.')) return undefined;
  const text = await readIfThere(path.join(tagFolder(root, name), tagFile));
  return text === undefined ? undefined : (JSON.parse(text) as Tag);
}

/**
 * The folder that answers for a version of the index: open a store there and it says the same for ever.
 * @throws preflight when there is no such version
 */
export async function pinnedFolder(root: string, name: string): Promise<string> {
  assertTagName(name);
  if ((await readTag(root, name)) === undefined) throw await noSuchTag(root, name);
  return tagFolder(root, name);
}

export async function noSuchTag(root: string, name: string): Promise<RagError> {
  const names = (await listTags(root)).map((tag) => tag.name);
  const has = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
  return new RagError('preflight', `Cannot use version "${name}" of ${root}: ${has}`, {
    hint: `node dist/supervisor.js index tag ${names[0] ?? name}   # or without RAG_INDEX_VERSION: the newest`,
  });
}
