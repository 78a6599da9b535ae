/**
 * What uploads are called: a small file for each name, called by the hash of the name and that of the content, so that a
 * listing of their folder says which name has which content. They are written once and never changed. Of two of one name
 * the later counts, whoever wrote it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { asDiskFull, readIfThere, syncFolder } from '../../disk/atomic.ts';

const recordSchema = z.object({
  name: z.string(),
  title: z.string().optional(),
  bytes: z.number(),
  /** Milliseconds since 1970, and later than what the name was given to before. */
  at: z.number(),
});

export type NameRecord = Readonly<z.infer<typeof recordSchema>> & { readonly hash: string };

export interface AllNames {
  /** The record of each name that counts. */
  readonly records: ReadonlyMap<string, NameRecord>;
  /** Contents that have a name which could not be read: to count as no name would cost the bytes of an upload. */
  readonly unread: ReadonlySet<string>;
}

export interface Names {
  /** Read from the disk as far as it is not known. */
  read(): Promise<AllNames>;
  /** On disk and synced when it resolves. @throws disk-full */
  write(records: readonly NameRecord[]): Promise<void>;
  /** They have no content any more, as far as they are known. */
  remove(names: readonly string[]): Promise<void>;
}

/** At a time, on a disk that may be far. */
const atOnce = 32;

/** @param folder made when it is first written to */
export function openNames(folder: string): Names {
  const known = new Map<string, NameRecord>();
  /** Files of a name: more than one where it was given anew. */
  const files = new Map<string, Set<string>>();
  const know = (file: string, record: NameRecord): void => {
    known.set(file, record);
    files.set(digestOf(file), (files.get(digestOf(file)) ?? new Set()).add(file));
  };
  const forget = (file: string): void => {
    known.delete(file);
    files.get(digestOf(file))?.delete(file);
    if (files.get(digestOf(file))?.size === 0) files.delete(digestOf(file));
  };
  const list = (): Promise<string[]> =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  const removeFiles = async (given: readonly string[]): Promise<void> => {
    await inGroups(given, async (file) => {
      await rm(join(folder, file), { force: true });
      forget(file);
    });
    if (given.length > 0) await syncFolder(folder);
  };
  const filesOf = (names: Iterable<string>): string[] =>
    [...new Set(names)].flatMap((name) => [...(files.get(nameDigest(name)) ?? [])]);
  return {
    read: async () => {
      const there = new Set((await list()).filter((file) => fileShape.test(file)));
      for (const file of known.keys()) if (!there.has(file)) forget(file);
      const unread = new Set<string>();
      await inGroups(
        [...there].filter((file) => !known.has(file)),
        async (file) => {
          const record = await readRecord(folder, file);
          if (record === 'unread') unread.add(hashOf(file));
          else if (record !== undefined) know(file, record);
        },
      );
      return { records: newest(known.values()), unread };
    },
    write: async (records) => {
      if (records.length === 0) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await inGroups(records, (record) => writeRecord(folder, record));
      await syncFolder(folder);
      const written = new Set(records.map(fileOf));
      // Not before the new ones are there: a crash in between leaves two, of which the later counts.
      await removeFiles(filesOf(records.map(({ name }) => name)).filter((file) => !written.has(file)));
      for (const record of records) know(fileOf(record), record);
    },
    remove: (names) => removeFiles(filesOf(names)),
  };
}

const digestLength = 32;
const fileShape = /^[0-9a-f]{32}\.[0-9a-f]{64}$/;

const digestOf = (file: string): string => file.slice(0, digestLength);
const hashOf = (file: string): string => file.slice(digestLength + 1);
const nameDigest = (name: string): string =>
  createHash('sha256').update(name).digest('hex').slice(0, digestLength);

const fileOf = ({ name, hash }: NameRecord): string => `${nameDigest(name)}.${hash}`;

function newest(records: Iterable<NameRecord>): Map<string, NameRecord> {
  const byName = new Map<string, NameRecord>();
  for (const record of records) {
    const other = byName.get(record.name);
    if (other === undefined || isLater(record, other)) byName.set(record.name, record);
  }
  return byName;
}

/** Two supervisors in one millisecond: all agree on one of them. */
const isLater = (a: NameRecord, b: NameRecord): boolean => a.at > b.at || (a.at === b.at && a.hash > b.hash);

/**
 * Undefined for one that is gone again. `unread`: its file is there, and the disk cannot read it now, or shows nothing of it.
 */
async function readRecord(folder: string, file: string): Promise<NameRecord | 'unread' | undefined> {
  try {
    const text = await readIfThere(join(folder, file));
    if (text === undefined) return undefined;
    const record = recordSchema.parse(JSON.parse(text));
    return nameDigest(record.name) === digestOf(file) ? { ...record, hash: hashOf(file) } : 'unread';
  } catch {
    return 'unread';
  }
}

async function writeRecord(folder: string, record: NameRecord): Promise<void> {
  const { hash: _, ...told } = record;
  const path = join(folder, fileOf(record));
  const beside = join(folder, `.${randomUUID()}.tmp`);
  try {
    {
      await using file = await open(beside, 'wx', 0o600);
      await file.writeFile(`${JSON.stringify(told)}\n`);
      await file.sync();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw asDiskFull(error, path);
  }
}

async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += atOnce) await Promise.all(all.slice(at, at + atOnce).map(work));
}
