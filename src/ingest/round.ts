/**
 * The files by which several runs share one ingest: who takes part, who has claimed what, what is done. A round
 * lives in a folder beside the index:
 *
 *     members/<nonce>.json     one a run, written by it alone: its counter, its state, the portions it has done
 *     claims/<what>.<n>        made by link, never changed or removed: the n-th run to take this piece of work
 *     listing                  what there is to do
 *
 * Nothing is correct because of them. Two runs at one portion do each other no harm, and a portion of which nothing
 * is known is simply done again.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { claimByLink, readIfThere, writeAtomic } from '../disk/atomic.ts';
import { makeOwner, ownerSchema } from '../disk/owner.ts';

const memberSchema = z.object({
  owner: ownerSchema,
  /** The member's name in its team. */
  who: z.string(),
  /** Grows while the run lives. */
  beat: z.number(),
  /** `left`: it was stopped, and what it had claimed is free. `finished`: it saw everything done. */
  state: z.enum(['here', 'left', 'finished']),
  /** Digest of the listing whose portions are meant. */
  listing: z.string(),
  done: z.array(z.number()),
});

export type Member = Readonly<z.infer<typeof memberSchema>>;

/** Disposing it stops the counter. */
export interface Round extends AsyncDisposable {
  /** Path of the shared listing. */
  readonly listing: string;
  readonly nonce: string;
  /** What the portions that this run does are portions of. */
  useListing(digest: string): void;
  /** This run among them, as it is and not as it is written. */
  members(): Promise<Member[]>;
  /** The n of the latest claim on each piece of work, by its name. @throws RoundGone */
  claimed(): Promise<ReadonlyMap<string, number>>;
  holder(what: string, nth: number): Promise<string>;
  /** Of several who ask for the same exactly one gets it. @throws RoundGone */
  claim(what: string, nth: number): Promise<'claimed' | 'taken'>;
  /** Known to the others with the next write that succeeds; every beat tries again. */
  markDone(portion: number): Promise<void>;
  /** @returns `gone` when the others have closed the round without us */
  end(state: 'left' | 'finished'): Promise<'told' | 'gone'>;
  /** Takes the folder away, in one step: who comes later finds that it is gone. */
  close(): Promise<void>;
}

/** Its folder was taken away: the round was closed, or is begun anew. */
export class RoundGone extends Error {}

export async function openRound(folder: string, who: string, beatMs: number): Promise<Round> {
  const [members, claims] = [join(folder, 'members'), join(folder, 'claims')];
  const self = makeSelf(who);
  const file = join(members, `${self.nonce}.json`);
  for (const each of [claims, members]) await mkdir(each, { recursive: true, mode: 0o700 });
  await orGone(writeAtomic(file, self.next()));

  let writing: Promise<unknown> = Promise.resolve();
  const tell = (): Promise<void> => {
    const told = writing.then(() => writeAtomic(file, self.next()));
    writing = told.catch(() => undefined); // the next beat tells it
    return told;
  };
  const timer = setInterval(() => void tell().catch(() => undefined), beatMs).unref();
  return {
    listing: join(folder, 'listing'),
    nonce: self.nonce,
    useListing: self.useListing,
    members: async () => [
      ...(await readMembers(members)).filter(({ owner }) => owner.nonce !== self.nonce),
      self.member(),
    ],
    claimed: () => orGone(readClaims(claims)),
    holder: async (what, nth) => (await readIfThere(join(claims, `${what}.${nth}`))) ?? '',
    claim: (what, nth) => orGone(claimByLink(join(claims, `${what}.${nth}`), self.nonce)),
    markDone: (portion) => {
      self.done(portion);
      return tell().catch(() => undefined);
    },
    end: (state) => {
      clearInterval(timer);
      self.end(state);
      return orGone(tell()).then(
        () => 'told',
        (error: unknown) => {
          if (error instanceof RoundGone) return 'gone';
          throw error;
        },
      );
    },
    close: () => removeRound(folder),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await writing;
    },
  };
}

/** Away by a rename first, so that nobody finds half of it. */
export async function removeRound(folder: string): Promise<void> {
  const away = `${folder}.${makeOwner().nonce.slice(0, 8)}.old`;
  await rename(folder, away).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rm(away, { recursive: true, force: true });
}

/** Members that a folder without a run of ours has; none when there is no folder. */
export async function readMembers(folder: string): Promise<Member[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readIfThere(join(folder, name))),
  );
  return texts.map((text) => parseMember(text ?? '')).filter((member) => member !== undefined);
}

function parseMember(text: string): Member | undefined {
  try {
    return memberSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function readClaims(folder: string): Promise<Map<string, number>> {
  const latest = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const [, what, nth] = /^(\w+)\.(\d+)$/.exec(name) ?? [];
    if (what !== undefined) latest.set(what, Math.max(latest.get(what) ?? 0, Number(nth)));
  }
  return latest;
}

/** @throws RoundGone for what is missing */
export async function orGone<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new RoundGone('its folder is gone');
    throw error;
  }
}

function makeSelf(who: string): {
  readonly nonce: string;
  readonly useListing: (digest: string) => void;
  done(portion: number): void;
  end(state: Member['state']): void;
  member(): Member;
  /** What to write at the next beat. */
  next(): string;
} {
  const owner = makeOwner();
  const done: number[] = [];
  let state: Member['state'] = 'here';
  let listing = '';
  let beat = 0;
  const member = (): Member => ({ owner, who, beat, state, listing, done });
  return {
    nonce: owner.nonce,
    useListing: (digest) => {
      listing = digest;
    },
    done: (portion) => void done.push(portion),
    end: (how) => {
      state = how;
    },
    member,
    next: () => {
      beat += 1;
      return JSON.stringify(member());
    },
  };
}
