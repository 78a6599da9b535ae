/**
 * Which files need not be read again. A stamp is one sentence, "the file of this key, in this state, had this
 * content", as a digest of 64 bits in a file of nothing but digests beside the index. A sentence that was true once
 * stays true, so stamps have no order, no owner and no lock, and may be lost or doubled at will.
 *
 * They say nothing about the index: a file is passed over only when the ledger says that this very content is done.
 * So a stamp that is lost, torn or of no use any more costs one reading of its file and nothing else.
 */
import { appendFile, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { nowByDisk } from '../disk/age.ts';
import { writeAtomic } from '../disk/atomic.ts';
import { type Digests, digestOf, holds, makeDigestList, sortDigests } from '../store/digest.ts';
import type { FileState } from './file-state.ts';

/** Disposing it writes what was noted. */
export interface Stamps extends AsyncDisposable {
  /** Whether the file was seen in this state with this content. @param content digest as text */
  has(key: string, file: FileState, content: string): boolean;
  /** The file had this content when it was read, which was after its state was taken. */
  note(key: string, file: FileState, content: string): void;
  /** Makes one file of all. @param met what this run had to do with: of `some`, nothing is known of the others' use */
  merge(met: 'all inputs' | 'some'): Promise<void>;
}

/** All is read, nothing is remembered. */
export const noStamps: Stamps = {
  has: () => false,
  note: () => undefined,
  merge: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};

/**
 * A file that was written a moment before its state was taken may be written again within the same tick of its
 * disk's clock, and nothing would show it: such a state gets no stamp. The coarsest clocks tick every two seconds.
 */
const racyMs = 3000;

/** 512 of them are one write of 4 KiB. */
const flushed = 512;

/** Stamps that this run had no use for are another input's, or old: 8 MB of them are kept. */
const spares = 1_000_000;

/** @param clock milliseconds since 1970, by the disk of the inputs. A disk that cannot be written gives `noStamps`. */
export async function openStamps(index: string, writer: string, clock?: () => number): Promise<Stamps> {
  const folder = join(index, 'stamps');
  try {
    await mkdir(folder, { recursive: true });
    const now = clock ?? (await makeClock(folder));
    const found = await readAll(folder);
    return makeStamps(folder, writer, now, found);
  } catch {
    return noStamps;
  }
}

/**
 * Inputs may lie on disks where nothing may be written, so their clocks cannot be asked. The earlier of the node's
 * clock and that of the index's disk makes a file look younger rather than older than it is.
 */
async function makeClock(folder: string): Promise<() => number> {
  const ahead = Math.min(0, (await nowByDisk(folder)) - Date.now());
  return () => Date.now() + ahead;
}

interface Found {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly stamps: Digests;
}

function makeStamps(folder: string, writer: string, now: () => number, { files, stamps }: Found): Stamps {
  const own = join(folder, writer);
  const used = makeDigestList();
  const fresh = makeDigestList();
  let written = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    const some = fresh.slice(written);
    written = fresh.length;
    // Whatever prevents it, a full disk above all, is met by those who write what counts.
    if (some.length > 0) writing = writing.then(() => appendFile(own, some)).catch(() => undefined);
    return writing;
  };
  const sentence = (key: string, file: FileState, content: string): bigint =>
    digestOf(key, file.version, content);
  return {
    has: (key, file, content) => {
      const digest = sentence(key, file, content);
      const isThere = holds(stamps, digest);
      if (isThere) used.add(digest);
      return isThere;
    },
    note: (key, file, content) => {
      if (now() - file.changedMs < racyMs) return;
      fresh.add(sentence(key, file, content));
      if (fresh.length - written >= flushed) void flush();
    },
    merge: async (met) => {
      await flush();
      if (files.length <= 1 && fresh.length === 0) return;
      const inUse = [used.slice(), fresh.slice()];
      const areTooMany = stamps.length - used.length > spares;
      const kept = met === 'all inputs' && areTooMany ? inUse : [stamps, ...inUse];
      await replace(own, files, joined(kept)).catch(() => undefined);
    },
    [Symbol.asyncDispose]: flush,
  };
}

/** One file for all that were read. One that has grown since belongs to a run that goes on. */
async function replace(own: string, files: Found['files'], stamps: Digests): Promise<void> {
  await writeAtomic(own, new Uint8Array(stamps.buffer, stamps.byteOffset, stamps.byteLength));
  for (const { path, bytes } of files)
    if (path !== own && (await stat(path)).size === bytes) await unlink(path);
}

/** Sorted, each once. */
function joined(lists: readonly Digests[]): Digests {
  const all = new BigUint64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  sortDigests(all);
  return all.filter((digest, index) => index === 0 || digest !== all[index - 1]);
}

const digestBytes = 8;
const pieceDigests = 8192;

async function readAll(folder: string): Promise<Found> {
  const stamps = makeDigestList();
  const files: { path: string; bytes: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    files.push({ path, bytes: await readInto(stamps, path) });
  }
  return { files, stamps: sortDigests(stamps.slice()) };
}

/** What follows the last whole digest was cut off by a crash. @returns bytes read */
async function readInto(stamps: { add(digest: bigint): void }, path: string): Promise<number> {
  await using file = await open(path);
  const some = new BigUint64Array(pieceDigests);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(some, 0, some.byteLength, at);
    const whole = Math.floor(bytesRead / digestBytes);
    for (const digest of some.subarray(0, whole)) stamps.add(digest);
    at += bytesRead;
    if (bytesRead < some.byteLength) return at;
  }
}
