/** The name of a supervisor's state: a second one of the same job and node gets a name of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { claimByLink, readIfThere, removeIfOwned } from '../disk/atomic.ts';
import { makeOwner } from '../disk/owner.ts';
import { readSupervisor } from './state-file.ts';

/** More on one node, of one job, is a loop that starts itself. */
const mostAtOnce = 100;

/**
 * `12.node1`, or where a supervisor that runs has that (a workload starts one, a step has two tasks on a node), `12.node1.2`
 * and so on. The state of one that has ended makes place.
 *
 * @param state what the file says until its owner writes it
 * @throws disk-full, preflight where the file system has no hard links
 */
export async function claimStateName(folder: string, name: string, state: object): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owned = { ...state, owner: makeOwner(), heartbeat: 0, written_at: new Date().toISOString() };
  const text = `${JSON.stringify(owned, null, 2)}\n`;
  for (let number = 1; number < mostAtOnce; number += 1) {
    const candidate = number === 1 ? name : `${name}.${number}`;
    if (await claims(join(folder, `${candidate}.json`), text)) return candidate;
  }
  return name;
}

async function claims(path: string, text: string): Promise<boolean> {
  const found = await readIfThere(path);
  if (found !== undefined) {
    if ((await readSupervisor(path, new Date()))?.presence === 'running') return false;
    await removeIfOwned(path, (content) => content === found);
  }
  return (await claimByLink(path, text)) === 'claimed';
}
