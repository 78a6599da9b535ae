/**
 * Files on disks that several nodes share. A reader sees a whole file or none: everything is written beside its
 * place, synced, and put there by rename or link, the two steps that NFS and Lustre do as one. No locks: they
 * outlive nodes, and some file systems ignore them.
 */
import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RagError } from '../errors.ts';

/**
 * Replaces the file, or makes it. On disk when it resolves.
 * @throws disk-full
 */
export async function writeAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const beside = await writeBeside(path, data, mode);
  try {
    await rename(beside, path);
  } catch (error) {
    await unlink(beside);
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Makes the file unless it is there; of several who try at once exactly one gets `claimed`.
 * @throws disk-full, preflight when the file system has no hard links
 */
export async function claimByLink(
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
): Promise<'claimed' | 'taken'> {
  const beside = await writeBeside(path, data, mode);
  try {
    const outcome = await linkOnce(beside, path);
    if (outcome === 'claimed') await syncFolder(dirname(path));
    return outcome;
  } finally {
    await unlink(beside);
  }
}

/**
 * Removes the file if its content is the caller's: `matches` judges it. It is moved away first and judged then,
 * because between a look and a removal another may have put his own there; what was not the caller's is put back.
 */
export async function removeIfOwned(
  path: string,
  matches: (content: string) => boolean,
): Promise<'removed' | 'gone' | 'foreign'> {
  const before = await readIfThere(path);
  if (before === undefined) return 'gone';
  if (!matches(before)) return 'foreign';
  const aside = besideOf(path);
  if (!(await unlessMissing(rename(path, aside)))) return 'gone';
  const ours = matches(await readFile(aside, 'utf8'));
  if (!ours) await linkOnce(aside, path);
  await unlink(aside);
  return ours ? 'removed' : 'foreign';
}

/** The file's text; undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    if (['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) throw notReadable(path, error);
    throw error;
  }
}

const notReadable = (path: string, cause: unknown): RagError =>
  new RagError('preflight', `Cannot read ${path}: you may not, a file of yours or your group is wanted`, {
    hint: `ls -ld ${dirname(path)} ${path}`,
    cause,
  });

/** Never the same name twice: a crash between the steps leaves litter, but breaks nothing. */
const besideOf = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.tmp`;

async function writeBeside(path: string, data: string | Uint8Array, mode: number): Promise<string> {
  const beside = besideOf(path);
  try {
    await using file = await open(beside, 'wx', mode);
    await file.chmod(mode); // the umask has taken from it what others were to read
    await file.writeFile(data);
    await file.sync();
    return beside;
  } catch (error) {
    await unlink(beside).catch(() => undefined); // on a disk that may only be read this fails, too
    throw asDiskFull(error, path);
  }
}

const linkOnce = (from: string, to: string): Promise<'claimed' | 'taken'> =>
  link(from, to).then(
    () => 'claimed',
    (error: unknown) => {
      if (codeOf(error) === 'EEXIST') return 'taken';
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(codeOf(error) ?? ''))
        throw new RagError(
          'preflight',
          `Cannot claim ${to}: its file system has no hard links, one that has them is wanted`,
          {
            hint: 'Set RAG_RUNTIME_STATE to a folder on NFS, Lustre, BeeGFS or a local disk',
            cause: error,
          },
        );
      throw error;
    },
  );

/** Without it a crash of the node may take the name away from a file that is on disk. Not every file system can. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync().catch((error: unknown) => {
    if (codeOf(error) !== 'EINVAL') throw error;
  });
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** False when the file was not there. */
const unlessMissing = (step: Promise<void>): Promise<boolean> =>
  step.then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    },
  );

export const asDiskFull = (error: unknown, path: string): unknown =>
  codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'
    ? new RagError('disk-full', `Cannot write ${path}: its disk or quota is full, free space is wanted`, {
        hint: `df -h ${dirname(path)}; quota -s`,
        cause: error,
      })
    : error;
