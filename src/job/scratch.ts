/** The private folder of a run on local disk, and what dead runs of this user have left of theirs. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { lifeOf, makeOwner, parseOwner } from '../disk/owner.ts';

export interface Scratch extends AsyncDisposable {
  /** 0700. */
  readonly folder: string;
}

const prefix = 'rag-';
const ownerFile = 'owner.json';

/** A Unix socket's path has 107 bytes at most, and the names of the run and of the socket come behind this. */
const longestBase = 48;

/** @param temporary TMPDIR, as given */
export async function openScratch(name: string, temporary: string | undefined): Promise<Scratch> {
  const given = resolve(temporary === undefined || temporary === '' ? tmpdir() : temporary);
  const base = Buffer.byteLength(given) > longestBase ? '/tmp' : given;
  await sweep(base);
  const folder = await mkdtemp(join(base, `${prefix}${name}-`));
  await writeAtomic(join(folder, ownerFile), JSON.stringify(makeOwner()));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** After kill -9 nobody cleans up. Only what is ours and whose process is proven dead. */
async function sweep(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const folder = join(base, name);
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true });
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    if ((await stat(folder)).uid !== process.getuid?.()) return false;
    const text = await readIfThere(join(folder, ownerFile));
    const owner = text === undefined ? undefined : parseOwner(text);
    return owner !== undefined && lifeOf(owner) === 'dead';
  } catch {
    return false; // gone meanwhile, or not one of these
  }
}
