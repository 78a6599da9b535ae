/** A private folder on local disk for as long as something lives, and what the dead of this user have left of theirs. */
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, RagError } from '../errors.ts';
import { asDiskFull, readIfThere, writeAtomic } from './atomic.ts';
import { lifeOf, makeOwner, parseOwner } from './owner.ts';

export interface Scratch extends AsyncDisposable {
  /** 0700. */
  readonly folder: string;
}

const prefix = 'rag-';
const ownerFile = 'owner.json';

/** A Unix socket's path has 107 bytes at most, and the names of the folder and of the socket come behind this. */
const longestBase = 48;

/** @param temporary TMPDIR, as given @throws preflight, disk-full */
export async function openScratch(name: string, temporary: string | undefined): Promise<Scratch> {
  const given = resolve(temporary === undefined || temporary === '' ? tmpdir() : temporary);
  const base = Buffer.byteLength(given) > longestBase ? '/tmp' : given;
  await sweep(base);
  const folder = await mkdtemp(join(base, `${prefix}${name}-`)).catch((error: unknown) => {
    throw noScratch(base, error);
  });
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeAtomic(join(folder, ownerFile), JSON.stringify(makeOwner()));
  } catch (error) {
    await remove();
    throw noScratch(base, error);
  }
  return { folder, [Symbol.asyncDispose]: remove };
}

/** A job often has the TMPDIR of the host that it was submitted on. */
function noScratch(base: string, cause: unknown): RagError {
  const full = asDiskFull(cause, base);
  if (full instanceof RagError) return full;
  return new RagError(
    'preflight',
    `Cannot make a folder in ${base} (TMPDIR): ${messageOf(cause)}, one that can be written is wanted`,
    { hint: 'export TMPDIR=/tmp', cause },
  );
}

/** After kill -9 nobody cleans up. Only what is ours and whose process is proven dead. */
async function sweep(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const folder = join(base, name);
    // What cannot be removed keeps nobody from starting.
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    // A link of somebody else's would be followed to one of ours, and could not be removed.
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return false;
    const text = await readIfThere(join(folder, ownerFile));
    const owner = text === undefined ? undefined : parseOwner(text);
    return owner !== undefined && lifeOf(owner) === 'dead';
  } catch {
    return false; // gone meanwhile, or not one of these
  }
}
