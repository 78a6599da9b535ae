/** Which instance gets a request. Pure. */

export interface Candidate {
  readonly id: string;
  /** Under way to it and waiting at it, of everybody in this process. */
  readonly requests: number;
  /** Of all of them together, in the measure of `models/load`. */
  readonly work: number;
  /** It takes one more now. */
  readonly hasRoom: boolean;
  /** It is being cured: what is sent there waits for that. */
  readonly isGrounded: boolean;
}

export interface Wish {
  /** Of this request. */
  readonly work: number;
  /** The instance that had the beginning of this conversation, and how much of the work its cache saves. */
  readonly kept?: { readonly id: string; readonly saves: number } | undefined;
  /** The instance that has just failed this request. */
  readonly failedAt?: string | undefined;
}

/** Those that may get a request now: one that is being cured gets none as long as there is another. */
export function openTo(candidates: readonly Candidate[]): readonly Candidate[] {
  const allAreGrounded = candidates.every(({ isGrounded }) => isGrounded);
  return candidates.filter(({ hasRoom, isGrounded }) => hasRoom && (allAreGrounded || !isGrounded));
}

/**
 * The one with the least to do, and not the one that has just failed this request, if there is another. A conversation
 * stays where its beginning is in the cache, unless what waits there is more than what the cache saves and
 * one request like this one.
 *
 * @param turn any number that grows: among equals they take turns
 * @returns undefined: none takes one now
 */
export function chooseInstance(
  candidates: readonly Candidate[],
  { work, kept, failedAt }: Wish,
  turn: number,
): string | undefined {
  const open = openTo(candidates);
  const others = open.filter(({ id }) => id !== failedAt);
  const fit = others.length > 0 ? others : open;
  const least = fit.toSorted(byLoad)[0];
  if (least === undefined) return undefined;
  const home = fit.find(({ id }) => id === kept?.id);
  if (home !== undefined && home.work - least.work <= (kept?.saves ?? 0) + work) return home.id;
  const equals = fit.filter((each) => byLoad(each, least) === 0);
  return equals[turn % equals.length]?.id;
}

const byLoad = (one: Candidate, other: Candidate): number =>
  one.work - other.work || one.requests - other.requests;
