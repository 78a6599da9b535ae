import { unlink } from 'node:fs/promises';
import path from 'node:path';
import { ageByDisk } from '../disk/age.ts';
import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { lifeOf, makeOwner, type Owner } from '../disk/owner.ts';
import { headManifest } from './heal.ts';
import { tablePath, type IndexFolder } from './tables.ts';

/**
 * Who writes a shard. A consolidation leaves the shards of others alone while they live: it would only copy
 * what their own run is about to merge. Nothing is lost if it errs: a writer whose shard was moved away under
 * it sees that before it acknowledges, and writes the rows again into a new one.
 */
const ownerPath = (folder: IndexFolder, name: string): string =>
  path.join(folder.shards, `${name}.owner.json`);

export const writeOwner = (folder: IndexFolder, name: string): Promise<void> =>
  writeAtomic(ownerPath(folder, name), JSON.stringify(makeOwner()));

export const removeOwner = (folder: IndexFolder, name: string): Promise<void> =>
  unlink(ownerPath(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });

/** A writer elsewhere cannot be asked whether it lives; after so long without a commit it counts as gone. */
const silentMs = 10 * 60_000;

/** Whether the shard may be merged and removed: it is ours, or its writer is gone. */
export async function isFree(folder: IndexFolder, name: string): Promise<boolean> {
  const owner = parseOwner(await readIfThere(ownerPath(folder, name)));
  if (owner === undefined) return true;
  const life = owner.pid === process.pid ? 'ours' : lifeOf(owner);
  return life === 'ours' || life === 'dead' || (life === 'unknown' && (await isSilent(folder, name)));
}

async function isSilent(folder: IndexFolder, name: string): Promise<boolean> {
  const table = tablePath(folder.shards, name);
  const head = await headManifest(table);
  return head === undefined || (await ageByDisk(path.join(table, '_versions', head))) > silentMs;
}

function parseOwner(text: string | undefined): Owner | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Owner);
  } catch {
    return undefined;
  }
}
