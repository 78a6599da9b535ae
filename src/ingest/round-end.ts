/**
 * Which round a run belongs to, and how one ends. A round is one command: the same job of Slurm, the same inputs.
 * When all of it is done, a small file says so for ever, because a task of an array may start hours after the
 * others have ended. The next `sbatch` is another command, and looks at every file again.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { nowByDisk } from '../disk/age.ts';
import { claimByLink, readIfThere } from '../disk/atomic.ts';
import { lifeOf } from '../disk/owner.ts';
import { type Member, readMembers, removeRound } from './round.ts';

export interface RoundPlace {
  readonly folder: string;
  /** The file that says that the round is over. */
  readonly ended: string;
}

export interface RoundInput {
  /** Folder of all rounds of an index. */
  readonly rounds: string;
  readonly inputs: readonly string[];
  /** Of the command. */
  readonly command: string;
  /** Of this run in it. */
  readonly me: string;
}

/**
 * Undefined when the others have done everything. Who was there himself when it ended is asked by a second command
 * of the same job, a second line of its script: that is a round of its own.
 *
 * A round that is begun anew gets another name: marks of the old one must not count in it.
 */
export async function findRound({
  rounds,
  inputs,
  command,
  me,
}: RoundInput): Promise<RoundPlace | undefined> {
  await mkdir(rounds, { recursive: true, mode: 0o700 });
  const given = JSON.stringify([resolve('.'), ...inputs]);
  const digest = createHash('sha256').update(given).digest('hex').slice(0, 12);
  const name = `${command.replace(/[^\w-]/g, '_')}-${digest}`;
  for (let nth = 1; ; nth++) {
    const folder = join(rounds, `${name}.${nth}`);
    const ended = `${folder}.ended`;
    const text = await readIfThere(ended);
    if (text === undefined) {
      if (!(await isLeft(folder))) return { folder, ended };
      await voidRound({ folder, ended });
    } else if (!isVoid(text) && !wasThere(text, me)) return undefined;
  }
}

export const isOpen = async ({ ended }: RoundPlace): Promise<boolean> =>
  (await readIfThere(ended)) === undefined;

/** A command that was stopped as a whole begins anew when it is requeued: files may have come since. */
async function isLeft(folder: string): Promise<boolean> {
  const members = await readMembers(join(folder, 'members'));
  return members.length > 0 && members.every(hasLeft);
}

const begunAnew = 'begun anew';
const isVoid = (text: string): boolean => text === begunAnew;

/** Those who are still in it find that its folder is gone, and go on in the next. */
export async function voidRound({ folder, ended }: RoundPlace): Promise<void> {
  await claimByLink(ended, begunAnew);
  await removeRound(folder);
}

export const hasLeft = ({ state, owner }: Member): boolean => state !== 'here' || lifeOf(owner) === 'dead';

/** @returns false when another has ended it */
export async function endRound({ ended }: RoundPlace, members: readonly Member[]): Promise<boolean> {
  const present = members.filter((member) => member.state === 'finished' || !hasLeft(member));
  const text = JSON.stringify({ present: present.map(({ who }) => who) });
  return (await claimByLink(ended, text)) === 'claimed';
}

function wasThere(text: string, me: string): boolean {
  try {
    return (JSON.parse(text) as { present: string[] }).present.includes(me);
  } catch {
    return false;
  }
}

/** An array may wait for days until its last task starts. */
const keptMs = 30 * 24 * 60 * 60_000;

/** Removes what rounds of long ago have left. */
export async function sweepRounds(rounds: string): Promise<void> {
  const now = await nowByDisk(rounds);
  for (const name of await readdir(rounds)) {
    const path = join(rounds, name);
    const changed = (await stat(path).catch(() => undefined))?.mtimeMs ?? now;
    if (now - changed > keptMs) await rm(path, { recursive: true, force: true });
  }
}
