/**
 * What was uploaded, by its hash: `uploads/ab/<sha256>` below the folder of the index. Two who send the same bytes have
 * one file. A name of a user never becomes part of a path.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, statfs, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nowByDisk } from '../../disk/age.ts';
import { asDiskFull, syncFolder } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';
import type { Content, ContentOptions } from '../../library.ts';

export interface Contents {
  pathOf(hash: string): string;
  /** A content that is here stays for a day, named or not. */
  has(hash: string): Promise<boolean>;
  /** On disk and synced when it resolves, or nothing of it is left. @throws disk-full, usage, what the bytes throw */
  keep(bytes: AsyncIterable<Uint8Array>, options: ContentOptions): Promise<Content>;
  /** Unless somebody has named it meanwhile, who is asked when it cannot be found any more. */
  drop(hash: string, isNamed: (aside: string) => Promise<boolean>): Promise<void>;
  /** What nobody has named for a day, and what a killed run was writing. */
  sweep(named: ReadonlySet<string>): Promise<void>;
}

/** An index that cannot grow by a commit any more would end the run. */
const defaultReserve = 64 * 1024 * 1024;
/** Between two looks at the free space. */
const lookEveryBytes = 64 * 1024 * 1024;
const spareMs = 24 * 3_600_000;

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** @param root made when it is first written to. @param reserve bytes of the disk that stay free */
export function openContents(root: string, reserve = defaultReserve): Contents {
  const incoming = join(root, 'incoming');
  const pathOf = (hash: string): string => join(root, hash.slice(0, 2), hash);
  const drop: Contents['drop'] = async (hash, isNamed) => {
    const aside = join(incoming, `${hash}.${randomUUID().slice(0, 8)}`);
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    if (!(await unlessGone(rename(pathOf(hash), aside)))) return;
    // Who names it from now on sees that it is gone; who did before is seen here.
    const keeps = await isNamed(aside).catch(() => true);
    if (keeps) await rename(aside, pathOf(hash));
    else await unlink(aside);
  };
  return {
    pathOf,
    has: async (hash) => {
      const now = new Date();
      return isHash(hash) && (await unlessGone(utimes(pathOf(hash), now, now)));
    },
    keep: async (bytes, options) => {
      await mkdir(incoming, { recursive: true, mode: 0o700 });
      const beside = join(incoming, `${randomUUID()}.part`);
      try {
        const content = await write(bytes, beside, options, reserve);
        const path = pathOf(content.hash);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await rename(beside, path);
        for (const folder of [dirname(path), root, dirname(root)]) await syncFolder(folder);
        return content;
      } catch (error) {
        await rm(beside, { force: true }).catch(() => undefined);
        throw asDiskFull(error, root);
      }
    },
    drop,
    sweep: async (named) => {
      const folders = await readdir(root).catch(() => []);
      if (folders.length === 0) return;
      const old = (await nowByDisk(root)) - spareMs;
      for (const folder of folders.filter((name) => /^[0-9a-f]{2}$/.test(name)))
        for (const hash of await readdir(join(root, folder)))
          if (!named.has(hash) && (await isOlder(pathOf(hash), old)))
            await drop(hash, async (aside) => !(await isOlder(aside, old)));
      for (const name of await readdir(incoming).catch(() => [])) {
        const path = join(incoming, name);
        const [hash = ''] = name.split('.');
        if (!(await isOlder(path, old))) continue;
        if (named.has(hash)) await rename(path, pathOf(hash));
        else await rm(path, { force: true });
      }
    },
  };
}

const isOlder = (path: string, timeMs: number): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs < timeMs,
    () => false,
  );

async function write(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  { maxBytes, expected, length }: ContentOptions,
  reserve: number,
): Promise<Content> {
  if (length !== undefined && length > maxBytes) throw tooLarge(maxBytes);
  await checkSpace(dirname(path), reserve + (length ?? 0));
  await using file = await open(path, 'wx', 0o600);
  const digest = createHash('sha256');
  let size = 0;
  let lookAt = lookEveryBytes;
  for await (const piece of bytes) {
    size += piece.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    if (size > lookAt) {
      await checkSpace(dirname(path), reserve);
      lookAt = size + lookEveryBytes;
    }
    digest.update(piece);
    await file.writeFile(piece);
  }
  const hash = digest.digest('hex');
  if (expected !== undefined && expected !== hash) throw otherBytes(expected, hash);
  await file.sync();
  return { hash, bytes: size };
}

async function checkSpace(folder: string, wanted: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= wanted) return;
  throw new RagError(
    'disk-full',
    `Cannot take the upload: ${mebibytes(bavail * bsize)} are free below ${dirname(folder)}, ${mebibytes(wanted)} are wanted`,
    { hint: `df -h ${dirname(folder)}` },
  );
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

const tooLarge = (maxBytes: number): RagError =>
  new RagError(
    'too-large',
    `Cannot take the upload: it has more than ${mebibytes(maxBytes)}, a smaller one is wanted`,
    {
      hint: 'give the job more: RAG_MAX_UPLOAD_MIB, or put the file on a disk that the job sees and name it to `ingest`',
    },
  );

const otherBytes = (expected: string, hash: string): RagError =>
  new RagError(
    'usage',
    `Cannot take the upload: its bytes have the hash ${hash}, those of ${expected} are wanted`,
    { hint: 'the file changed while it was sent: send it again' },
  );

/** False when it was not there. */
const unlessGone = (step: Promise<void>): Promise<boolean> =>
  step.then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
