import path from 'node:path';
import { ageByDisk } from '../../disk/age.ts';
import { readIfThere } from '../../disk/atomic.ts';
import { lifeOf, parseOwner } from '../../disk/owner.ts';
import { headManifest } from './heal.ts';
import { ownerPath, shardNames, tablePath, type IndexFolder } from '../tables.ts';

/**
 * Who writes a shard. A consolidation leaves the shards of others alone while they live: it would only copy
 * what their own run is about to merge. Nothing is lost if it errs: a writer whose shard was moved away under
 * it sees that before it acknowledges, and writes the rows again into a new one.
 *
 * @returns the content of the owner file of a new shard of ours
 */
export function newOwner(folder: IndexFolder): string {
  const owner = folder.owner();
  folder.nonces.add(owner.nonce);
  return JSON.stringify(owner);
}

/** Of a shard that whoever has the turn may merge. */
export const nobody = '{}';

/** A writer elsewhere cannot be asked whether it lives; after so long without a commit it counts as gone. */
const silentMs = 10 * 60_000;

/**
 * `free`: it is ours or nobody's, or its writer is dead: nothing will come to it. `silent`: its writer is believed to be
 * gone, and may wake.
 */
export async function holdOf(folder: IndexFolder, name: string): Promise<'free' | 'silent' | 'held'> {
  const shard = tablePath(folder.shards, name);
  const owner = parseOwner((await readIfThere(ownerPath(shard))) ?? nobody);
  if (owner === undefined || folder.nonces.has(owner.nonce)) return 'free';
  const life = lifeOf(owner);
  if (life === 'dead') return 'free';
  return life === 'unknown' && (await isSilent(shard)) ? 'silent' : 'held';
}

/** Whether the shard may be merged and removed. */
export const isFree = async (folder: IndexFolder, name: string): Promise<boolean> =>
  (await holdOf(folder, name)) !== 'held';

async function isSilent(shard: string): Promise<boolean> {
  const head = await headManifest(shard);
  return head === undefined || ((await ageByDisk(path.join(shard, '_versions', head))) ?? 0) > silentMs;
}

/** Shards of other runs that are still written, of any kind. */
export async function busyShards(folder: IndexFolder): Promise<string[]> {
  const busy: string[] = [];
  for (const kind of ['chunks', 'failures', 'removals'] as const)
    for (const name of await shardNames(folder, kind)) if (!(await isFree(folder, name))) busy.push(name);
  return busy;
}
