/** Which piece of the shared work a run takes next. Pure. */
export interface Place {
  readonly rank: number;
  readonly size: number;
}

/** The portions in the order in which this run asks for them: its own, then its neighbour's, and so on. */
export function inOwnOrder(portions: number, { rank, size }: Place): number[] {
  const distance = (portion: number): number => ((portion % size) - (rank % size) + size) % size;
  return Array.from({ length: portions }, (_, portion) => portion).sort(
    (a, b) => distance(a) - distance(b) || a - b,
  );
}

export type Next =
  | { readonly kind: 'take'; readonly portion: number; readonly nth: number }
  /** All that is not done is being done by others. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'over' };

export interface Progress {
  /** As which of those who took it the latest has claimed each portion. */
  readonly claims: ReadonlyMap<number, number>;
  readonly done: ReadonlySet<number>;
  /** Claimed by somebody who will not finish them. */
  readonly abandoned: ReadonlySet<number>;
}

/** @param order portions as from `inOwnOrder` */
export function nextPortion(order: readonly number[], { claims, done, abandoned }: Progress): Next {
  const open = order.filter((portion) => !done.has(portion));
  if (open.length === 0) return { kind: 'over' };
  const portion = open.find((each) => !claims.has(each)) ?? open.find((each) => abandoned.has(each));
  if (portion === undefined) return { kind: 'wait' };
  return { kind: 'take', portion, nth: (claims.get(portion) ?? 0) + 1 };
}

export interface Stillness {
  /** Whether the counter has been seen unchanged for the whole time. */
  stoodStill(member: string, beat: number, nowMs: number): boolean;
}

/**
 * Judges counters by the observer's own clock, since the clocks of nodes differ. Looks that lie further apart than
 * `lookMs` count as that: an observer who was suspended himself, with his whole node, has seen nothing.
 */
export function makeStillness(stillMs: number, lookMs: number): Stillness {
  const seen = new Map<string, { beat: number; lookedMs: number; stillMs: number }>();
  return {
    stoodStill(member, beat, nowMs) {
      const before = seen.get(member);
      const still = before?.beat === beat ? before.stillMs + Math.min(nowMs - before.lookedMs, lookMs) : 0;
      seen.set(member, { beat, lookedMs: nowMs, stillMs: still });
      return still >= stillMs;
    },
  };
}
