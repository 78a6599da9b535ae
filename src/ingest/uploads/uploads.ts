/**
 * Documents that were sent and not named by a path: contents and their names. A content is one document however many
 * names it has; its key is that of the name it has had for the longest time.
 */
import { join } from 'node:path';
import { RagError } from '../../errors.ts';
import { onOneLine } from '../../observe/terminal.ts';
import type { Content, ContentOptions, NamedContent } from '../../library.ts';
import type { UploadedFile } from '../../work.ts';
import { uploadKey } from '../listing-keys.ts';
import { type Contents, openContents } from './contents.ts';
import { type NameRecord, type Names, openNames } from './names.ts';

export interface Upload extends UploadedFile {
  readonly hash: string;
  readonly bytes: number;
  /** When its name was given to it, milliseconds since 1970. */
  readonly at: number;
  /** All that it has, the key's first. */
  readonly names: readonly string[];
  /** What would be the keys of the others. */
  readonly further: readonly string[];
}

export interface Uploads {
  /** By key; read from the disk anew, where other supervisors of the index may have written. */
  read(): Promise<ReadonlyMap<string, Upload>>;
  /** As it was read last, and changed by this process since. */
  current(): ReadonlyMap<string, Upload>;
  /** Whether every name could be read the last time: else one that is missing proves nothing. */
  isWhole(): boolean;
  keep(bytes: AsyncIterable<Uint8Array>, options: ContentOptions): Promise<Content>;
  /** Of these contents those that have to be sent. */
  missing(hashes: readonly string[]): Promise<string[]>;
  /**
   * Makes documents of contents: on disk and synced when it resolves. A name that another content had is taken from it.
   *
   * @returns the documents that they are now, in order, and the keys that are those of no upload any more
   * @throws no-input when one of the contents is not here; usage for a name that is none; disk-full
   */
  name(files: readonly NamedContent[]): Promise<Renamed>;
  /** With all their names, and their bytes; of a further name only that. What is not here may be removed again. */
  remove(keys: readonly string[]): Promise<void>;
  /** Bytes that nobody has named for a day. */
  sweep(): Promise<void>;
}

export interface Renamed {
  readonly uploads: readonly Upload[];
  readonly gone: readonly string[];
}

/** @param index its folder. @param reserve see `openContents` */
export function openUploads(index: string, reserve?: number): Uploads {
  const root = join(index, 'uploads');
  const contents = openContents(root, reserve);
  const names = openNames(join(root, 'names'));
  const documents = makeReading(names, contents);
  const read = () => documents.read();
  const current = () => documents.current();
  const inTurn = oneAtATime();
  return {
    read: () => inTurn(read),
    current,
    isWhole: () => documents.isWhole(),
    keep: (bytes, options) => contents.keep(bytes, options),
    missing: async (hashes) => {
      const here = await Promise.all(hashes.map((hash) => contents.has(hash)));
      return [...new Set(hashes.filter((_, at) => here[at] !== true))];
    },
    name: (files) =>
      inTurn(async () => {
        if (files.length === 0) return { uploads: [], gone: [] };
        const before = await read();
        const records = await recordsOf(files, contents, before);
        await names.write(records);
        await read();
        // Whoever removed these bytes a moment ago has seen the name, or it is seen here that they are gone.
        for (const { name, hash } of records) {
          if (await contents.has(hash)) continue;
          await names.remove([name]);
          throw notHere(hash);
        }
        await documents.dropUnnamed([...before.values()].map(({ hash }) => hash));
        const byName = new Map(
          [...current().values()].flatMap((one) => one.names.map((name) => [name, one])),
        );
        return {
          uploads: files.map(({ name }) => byName.get(cleanName(name)) ?? lost(name)),
          gone: [...before.keys()].filter((key) => !current().has(key)),
        };
      }),
    remove: (keys) =>
      inTurn(async () => {
        const before = await read();
        const wanted = new Set(keys);
        const removed = [...before.values()].filter(({ key }) => wanted.has(key));
        const further = [...before.values()].flatMap((one) =>
          one.names.filter((name) => wanted.has(uploadKey(name))),
        );
        await names.remove([...removed.flatMap((one) => one.names), ...further]);
        await read();
        await documents.dropUnnamed(removed.map(({ hash }) => hash));
      }),
    sweep: () =>
      inTurn(async () => {
        await read();
        await contents.sweep(documents.hashes());
      }),
  };
}

interface Reading extends Pick<Uploads, 'read' | 'current' | 'isWhole'> {
  /** Of contents that have a name, one that could not be read too. */
  hashes(): Set<string>;
  /** Of these contents those that have none. */
  dropUnnamed(some: Iterable<string>): Promise<void>;
}

function makeReading(names: Names, contents: Contents): Reading {
  let current: ReadonlyMap<string, Upload> = new Map();
  let unread: ReadonlySet<string> = new Set();
  const read = async (): Promise<ReadonlyMap<string, Upload>> => {
    const all = await names.read();
    unread = all.unread;
    return (current = documentsOf(all.records, contents));
  };
  const hashes = (): Set<string> => new Set([...unread, ...[...current.values()].map(({ hash }) => hash)]);
  const isNamed = async (hash: string): Promise<boolean> => {
    await read();
    return hashes().has(hash);
  };
  return {
    read,
    hashes,
    current: () => current,
    isWhole: () => unread.size === 0,
    dropUnnamed: async (some) => {
      const named = hashes();
      for (const hash of new Set(some)) if (!named.has(hash)) await contents.drop(hash, () => isNamed(hash));
    },
  };
}

function documentsOf(records: ReadonlyMap<string, NameRecord>, contents: Contents): Map<string, Upload> {
  const byHash = Map.groupBy(records.values(), ({ hash }) => hash);
  const uploads = new Map<string, Upload>();
  for (const [hash, all] of byHash) {
    const [first, ...others] = all.toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
    if (first === undefined) continue;
    const { name, title, bytes, at } = first;
    const key = uploadKey(name);
    uploads.set(key, {
      key,
      path: contents.pathOf(hash),
      name,
      ...(title !== undefined && { title }),
      hash,
      bytes,
      at,
      names: [name, ...others.map((other) => other.name)],
      further: others.map((other) => uploadKey(other.name)),
    });
  }
  return uploads;
}

/** Of those that say something new. */
async function recordsOf(
  files: readonly NamedContent[],
  contents: Contents,
  before: ReadonlyMap<string, Upload>,
): Promise<NameRecord[]> {
  const known = new Map([...before.values()].flatMap((one) => one.names.map((name) => [name, one])));
  const records = new Map<string, NameRecord>();
  for (const { name: given, title, hash, bytes } of files) {
    if (!(await contents.has(hash))) throw notHere(hash);
    const name = cleanName(given);
    const had = known.get(name);
    // Its title is that of the first time, too: it stands in the passages of the index.
    if (had?.hash === hash && !records.has(name)) continue;
    const at = Math.max(Date.now(), (had?.at ?? 0) + 1);
    const called = title === undefined ? {} : { title: onOneLine(title).trim().slice(0, longestTitle) };
    records.set(name, { name, ...called, hash, bytes, at });
  }
  return [...records.values()];
}

const longestName = 1024;
const longestTitle = 500;

/** A character that leaves something on a page. */
const visible = /[^\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}/]/u;

/**
 * A name is shown, and never opened. An absolute one would look like a file of this machine, which `--prune` would look
 * for and not find.
 *
 * @throws usage
 */
export function cleanName(given: string): string {
  const parts = onOneLine(given.toWellFormed().normalize('NFC')).trim().split('/');
  const name = parts
    .filter((part) => part !== '.' && part !== '..')
    .join('/')
    .replace(/^\/+/u, '')
    .replace(/\/+$/u, '');
  const bytes = Buffer.byteLength(name);
  if (bytes <= longestName && visible.test(name)) return name;
  throw new RagError(
    'usage',
    bytes > longestName
      ? `Cannot take the upload: its name has ${bytes} bytes, ${longestName} at most are wanted`
      : `Cannot take the upload: nothing of its name can be seen (${JSON.stringify(given.slice(0, 80))}), a name is wanted`,
    { hint: "curl -F 'file=@report.pdf;filename=report.pdf'" },
  );
}

const notHere = (hash: string): RagError =>
  new RagError('no-input', `Cannot name the upload ${hash}: its bytes are not here, they are wanted first`, {
    hint: 'send them again',
  });

const lost = (name: string): never => {
  throw new RagError('aborted', `Cannot take the upload ${name}: it was removed again meanwhile`);
};

/** One after the other, whatever became of the one before. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
