/** The private folder of a run on local disk, and what dead runs of this user have left of theirs. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { lifeOf, makeOwner, parseOwner } from '../disk/owner.ts';
import { makeTemporary, temporaryBase } from '../disk/temporary.ts';

export interface Scratch extends AsyncDisposable {
  /** 0700. */
  readonly folder: string;
}

const prefix = 'rag-';
const ownerFile = 'owner.json';

/** @param temporary TMPDIR, as given @throws preflight, disk-full */
export async function openScratch(name: string, temporary: string | undefined): Promise<Scratch> {
  const base = temporaryBase(temporary);
  await sweep(base);
  const folder = await makeTemporary(base, `${prefix}${name}-`);
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
