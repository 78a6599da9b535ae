import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ageByDisk } from '../disk/age.ts';
import { claimByLink, readIfThere, removeIfOwned } from '../disk/atomic.ts';
import { lifeOf, makeOwner, type Owner } from '../disk/owner.ts';
import type { IndexFolder } from './tables.ts';

/** A consolidation of a million chunks takes minutes; who waits longer leaves its shard to the next run. */
const waitMs = 5 * 60_000;
const lookEveryMs = 100;

/**
 * One consolidation at a time: two at once meet in Lance's commits and one of them fails. Only comfort hangs on
 * it: whoever takes a turn that is not his, after a claim that outlived its node, repeats what can be repeated.
 */
export async function inTurn(folder: IndexFolder, work: () => Promise<void>): Promise<void> {
  const claim = path.join(folder.root, 'consolidating.json');
  const mine = JSON.stringify(makeOwner());
  for (const deadline = performance.now() + waitMs; (await claimByLink(claim, mine)) === 'taken';) {
    const holder = await readIfThere(claim);
    if (holder !== undefined && (await isOver(claim, holder)))
      await removeIfOwned(claim, (text) => text === holder);
    else if (performance.now() > deadline) return;
    else await sleep(lookEveryMs);
  }
  try {
    await work();
  } finally {
    await removeIfOwned(claim, (text) => text === mine);
  }
}

/** A claim of another node cannot be asked whether its process lives; no consolidation takes an hour. */
const forgottenMs = 60 * 60_000;

async function isOver(claim: string, holder: string): Promise<boolean> {
  const life = lifeOf(JSON.parse(holder) as Owner);
  return life === 'dead' || (life === 'unknown' && (await ageByDisk(claim)) > forgottenMs);
}
