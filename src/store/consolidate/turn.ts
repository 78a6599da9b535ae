import { open } from 'node:fs/promises';
import path from 'node:path';
import { setInterval as every, setTimeout as pause } from 'node:timers/promises';
import { ageByDisk } from '../../disk/age.ts';
import { claimByLink, readIfThere, removeIfOwned } from '../../disk/atomic.ts';
import { lifeOf, makeOwner, parseOwner, type Owner } from '../../disk/owner.ts';
import type { IndexFolder } from '../tables.ts';

export interface TurnTimes {
  /** A consolidation of a million chunks takes minutes; who waits longer leaves its shard to the next run. */
  readonly waitMs?: number | undefined;
  /** How often the holder renews its claim, however long its work takes. */
  readonly beatMs?: number | undefined;
  /** Whose the claim is. */
  readonly owner?: () => Owner;
}

/** In the folder of the index. */
export const turnFile = 'consolidating.json';

/** Held by another by now: who was suspended for minutes wakes to an index that others have changed. */
class LostTurn extends Error {}

/** @throws LostTurn, which ends the turn. To be asked before every step that goes by what was read before. */
export type StillMine = () => Promise<void>;

/**
 * One consolidation at a time: two at once meet in Lance's commits and one of them fails. Whoever takes a turn that is
 * not his, after a claim that outlived its node, repeats what can be repeated; who has lost it stops.
 *
 * @returns `timed-out` when another has held it all the time, `lost` when another took it meanwhile
 */
export const inTurn = <Out>(
  folder: IndexFolder,
  work: (stillMine: StillMine) => Promise<Out>,
  { waitMs = 5 * 60_000, beatMs }: TurnTimes = {},
): Promise<Out | 'timed-out' | 'lost'> =>
  holding(path.join(folder.root, turnFile), work, { waitMs, beatMs, owner: folder.owner });

/** Works while it holds a claim, which is a file. @returns as `inTurn` does */
export async function holding<Out>(
  claim: string,
  work: (stillMine: StillMine) => Promise<Out>,
  { waitMs = 0, beatMs = 20_000, owner = makeOwner }: TurnTimes = {},
): Promise<Out | 'timed-out' | 'lost'> {
  const mine = JSON.stringify(owner());
  if ((await untilMine(claim, mine, waitMs)) === 'timed-out') return 'timed-out';
  const done = new AbortController();
  const renewing = renew(claim, mine, every(beatMs, undefined, { signal: done.signal }));
  try {
    return await work(async () => {
      if ((await readIfThere(claim)) !== mine) throw new LostTurn(`${claim} is another's`);
    });
  } catch (error) {
    if (error instanceof LostTurn) return 'lost';
    throw error;
  } finally {
    done.abort();
    await renewing;
    await removeIfOwned(claim, (text) => text === mine);
  }
}

const firstPauseMs = 50;
const maxPauseMs = 1_000;

/** Looks before it claims: a claim is a file that is written and synced. */
async function untilMine(claim: string, mine: string, waitMs: number): Promise<'mine' | 'timed-out'> {
  const deadline = performance.now() + waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    const holder = await readIfThere(claim);
    if (holder !== undefined && (await isOver(claim, holder)))
      await removeIfOwned(claim, (text) => text === holder);
    else if (holder !== undefined) {
      if (performance.now() >= deadline) return 'timed-out';
      await pause(Math.min(pauseMs, deadline - performance.now()));
      continue;
    }
    if ((await claimOrLeave(claim, mine)) === 'claimed') return 'mine';
  }
}

/** What fails after the claim stands must not leave it: its process lives, and nobody could work as long as it does. */
async function claimOrLeave(claim: string, mine: string): Promise<'claimed' | 'taken'> {
  try {
    return await claimByLink(claim, mine);
  } catch (error) {
    await removeIfOwned(claim, (text) => text === mine).catch(() => undefined);
    throw error;
  }
}

/** A claim of another node cannot be asked whether its process lives; six beats without a renewal say that it does not. */
const silentMs = 2 * 60_000;

async function isOver(claim: string, holder: string): Promise<boolean> {
  const owner = parseOwner(holder);
  const life = owner === undefined ? 'unknown' : lifeOf(owner);
  return life === 'dead' || (life === 'unknown' && ((await ageByDisk(claim)) ?? 0) > silentMs);
}

/**
 * A beat that fails is left out: the next one may not. Ends when the beats are aborted. Written into the file that was
 * read, wherever that is by now: who sleeps between the two must not put his claim over another's.
 */
async function renew(claim: string, mine: string, beats: AsyncIterable<unknown>): Promise<void> {
  const beat = async (): Promise<void> => {
    await using file = await open(claim, 'r+');
    if ((await file.readFile('utf8')) === mine) await file.write(mine, 0);
  };
  try {
    for await (const _ of beats) await beat().catch(() => undefined);
  } catch {
    // It was aborted.
  }
}
