/** Folders among the shards that never became one. Nothing in them was acknowledged. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ageByDisk } from '../../disk/age.ts';
import { isEmptyTable } from './heal.ts';
import { holdOf } from './shard-owner.ts';
import { ownerPath, type IndexFolder } from '../tables.ts';

/** Between making a folder, saying whose it is, and making its table lies a small write each. */
const claimMs = 3_600_000;

/**
 * Of a writer that died, or met a full disk, while he claimed it; or made anew by Lance for an index on a shard that was
 * renamed meanwhile.
 *
 * @returns names
 */
export async function strayFolders(folder: IndexFolder): Promise<string[]> {
  const entries = await readdir(folder.shards).catch(() => []);
  const names = entries
    .filter((each) => each.endsWith('.lance'))
    .map((each) => path.basename(each, '.lance'));
  const strays: string[] = [];
  for (const name of names) if (await isStray(folder, name)) strays.push(name);
  return strays;
}

async function isStray(folder: IndexFolder, name: string): Promise<boolean> {
  const at = path.join(folder.shards, `${name}.lance`);
  const isOwned = existsSync(ownerPath(at));
  if (isOwned && !(await isEmptyTable(at))) return false;
  if (isOwned && (await holdOf(folder, name)) === 'free') return true;
  return ((await ageByDisk(at)) ?? 0) > claimMs;
}
