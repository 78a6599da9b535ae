/** One run's part in a round: makes or awaits the listing, then takes one portion after the other. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RagError } from '../errors.ts';
import type { Inputs } from '../work.ts';
import { openListing, publishListing, type SharedListing } from './listing-file.ts';
import { inOwnOrder, makeStillness, nextPortion, type Place, type Progress } from './next-portion.ts';
import type { Portion } from './portions.ts';
import { openRound, orGone, type Member, type Round } from './round.ts';
import { hasLeft } from './round-end.ts';
import { sharedItems } from './shared-items.ts';

export interface PartOptions {
  readonly inputs: Inputs;
  readonly team: Place & { readonly me: string };
  readonly takeoverMs: number;
  readonly onListed: (listing: Pick<SharedListing, 'items' | 'hasRows'>) => void;
}

/** Disposing it leaves what is claimed and not done to the others. */
export interface Part extends AsyncDisposable {
  /** Ends when everything is done, whoever did it. @throws RoundGone, TornListing; no-input, aborted */
  portions(signal: AbortSignal): AsyncGenerator<Portion, void, undefined>;
  readonly round: Round;
  /** Waits until the others have left, or do not seem to live. */
  untilAlone(signal: AbortSignal): Promise<void>;
}

/** @param folder of the round @throws RoundGone */
export async function takePart(folder: string, options: PartOptions): Promise<Part> {
  const { takeoverMs, team } = options;
  // Six beats and sixty looks before anybody is given up: a look asks a file server a few questions.
  const round = await openRound(folder, team.me, takeoverMs / 6);
  const look = makeLook(round, takeoverMs);
  let listing: SharedListing | undefined;
  return {
    round,
    portions: async function* portions(signal) {
      listing = await untilListed(look, options.inputs, signal);
      round.useListing(listing.digest);
      options.onListed(listing);
      yield* portionsOf(listing, look, team, signal);
    },
    untilAlone: async (signal) => {
      const deadline = performance.now() + 2 * takeoverMs;
      const isAlone = async (): Promise<boolean> =>
        [...(await look.around()).present].every((nonce) => nonce === round.nonce);
      while (!(await isAlone()) && performance.now() < deadline) await look.wait(signal);
    },
    [Symbol.asyncDispose]: async () => {
      await round[Symbol.asyncDispose]();
      await listing?.[Symbol.asyncDispose]();
    },
  };
}

interface Around {
  /** Nonces of those who are at work, this run's too. */
  readonly present: ReadonlySet<string>;
  readonly done: ReadonlySet<number>;
}

interface Look {
  readonly round: Round;
  /** Until the next look. @throws aborted */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  readonly around: () => Promise<Around>;
}

function makeLook(round: Round, takeoverMs: number): Look {
  const pollMs = Math.min(2000, takeoverMs / 60);
  const stillness = makeStillness(takeoverMs, 4 * pollMs);
  return {
    round,
    wait: async (signal) => {
      await pause(pollMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw new RagError('aborted', 'Cannot wait for the other tasks: stopped');
    },
    around: async () => {
      const members = await round.members();
      const now = performance.now();
      const isStill = ({ owner, beat }: Member): boolean =>
        stillness.stoodStill(owner.nonce, beat, now) && owner.nonce !== round.nonce;
      const present = members.filter((member) => !isStill(member) && !hasLeft(member));
      const { listing } = members.find(({ owner }) => owner.nonce === round.nonce) ?? {};
      const ofOurs = members.filter((member) => member.listing === listing);
      return {
        present: new Set(present.map(({ owner }) => owner.nonce)),
        done: new Set(ofOurs.flatMap(({ done }) => done)),
      };
    },
  };
}

const listingClaim = 'listing';

async function untilListed(
  { round, wait, around }: Look,
  inputs: Inputs,
  signal: AbortSignal,
): Promise<SharedListing> {
  for (;;) {
    // On NFS a name that was not there stays so for half a minute, unless its folder is read.
    await orGone(readdir(dirname(round.listing)));
    const listing = await openListing(round.listing);
    if (listing !== undefined) return listing;
    const nth = (await round.claimed()).get(listingClaim) ?? 0;
    const isFree = nth === 0 || !(await around()).present.has(await round.holder(listingClaim, nth));
    if (isFree && (await round.claim(listingClaim, nth + 1)) === 'claimed')
      await orGone(publishListing(round.listing, sharedItems(inputs, signal)));
    else await wait(signal);
  }
}

async function* portionsOf(
  listing: SharedListing,
  look: Look,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<Portion, void, undefined> {
  const order = inOwnOrder(listing.portions, place);
  for (;;) {
    const portion = await untilClaimed(order, look, signal);
    if (portion === undefined) return;
    yield { items: listing.read(portion), done: () => look.round.markDone(portion) };
  }
}

/** Undefined when everything is done. */
async function untilClaimed(
  order: readonly number[],
  look: Look,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (;;) {
    const next = nextPortion(order, await readProgress(order, look));
    if (next.kind === 'over') return undefined;
    if (next.kind === 'wait') await look.wait(signal);
    else if ((await look.round.claim(String(next.portion), next.nth)) === 'claimed') return next.portion;
  }
}

/** Who is there, and who holds what, is asked only when every portion has been claimed by somebody. */
async function readProgress(order: readonly number[], { round, around }: Look): Promise<Progress> {
  const claimed = await round.claimed();
  const claims = new Map(
    [...claimed].filter(([what]) => what !== listingClaim).map(([what, nth]) => [Number(what), nth] as const),
  );
  if (order.some((portion) => !claims.has(portion))) return { claims, done: new Set(), abandoned: new Set() };
  const { present, done } = await around();
  const abandoned = new Set<number>();
  for (const portion of order.filter((each) => !done.has(each))) {
    const holder = await round.holder(String(portion), claims.get(portion) ?? 1);
    if (!present.has(holder)) abandoned.add(portion);
  }
  return { claims, done, abandoned };
}
