/** The documents that an ingest set aside, for people: by name while they are few, as a number beyond. Pure. */
import type { Failure } from '../../work.ts';

/** The index has all of them. */
export const mostListed = 500;

export interface SetAside {
  /** By document: one that fails at every look stands once. */
  readonly listed: ReadonlyMap<string, Failure>;
  /** Those that are not listed; one that fails twice counts twice. */
  readonly more: number;
}

export const noneSetAside: SetAside = { listed: new Map(), more: 0 };

export function addFailure({ listed, more }: SetAside, failure: Failure): SetAside {
  if (!listed.has(failure.document) && listed.size >= mostListed) return { listed, more: more + 1 };
  return { listed: new Map(listed).set(failure.document, failure), more };
}

/**
 * What is set aside after this run, when `earlier` was before it: every run tries again whatever failed, so a run that
 * met everything knows all of it, and one that did not knows only of what it came to.
 */
export const afterRun = (earlier: SetAside, latest: SetAside, complete: boolean): SetAside =>
  complete
    ? latest
    : { ...[...latest.listed.values()].reduce(addFailure, earlier), more: earlier.more + latest.more };
