import { digestOf, type Digests, holds, makeDigestList, sortDigests } from '../store/digest.ts';
import type { SeenFiles } from '../work.ts';

export interface Looks extends SeenFiles {
  /**
   * Ends a look.
   *
   * @param ingested what was due; else it is due again
   * @returns whether something was due, and whether something will be when it stays as it is
   */
  endLook(ingested: boolean): { readonly due: boolean; readonly unsettled: boolean };
}

/**
 * Remembers files by what they were like, so that neither an unchanged one nor one that failed is met again: 8 bytes
 * each. The first look takes everything. Later a file is due when two looks have found it in the same state, because
 * one that has just changed is likely to be still written to, and because that needs no clock: those of the node and
 * of its disks differ.
 */
export function makeLooks(): Looks {
  let taken: Digests = new BigUint64Array();
  let before: Digests = new BigUint64Array();
  let due = makeDigestList();
  let unsettled = makeDigestList();
  let looks = 0;
  return {
    get isFirst() {
      return looks === 0;
    },
    isDue: (key, state) => {
      const digest = digestOf(key, state);
      if (holds(taken, digest)) return false;
      const isSettled = looks === 0 || holds(before, digest);
      (isSettled ? due : unsettled).add(digest);
      return isSettled;
    },
    endLook: (ingested) => {
      const found = { due: due.length > 0, unsettled: unsettled.length > 0 };
      if (ingested && found.due) taken = sortDigests(joined(taken, due.slice()));
      before = sortDigests(ingested ? unsettled.slice() : joined(unsettled.slice(), due.slice()));
      due = makeDigestList();
      unsettled = makeDigestList();
      looks += 1;
      return found;
    },
  };
}

function joined(some: Digests, more: Digests): Digests {
  const all = new BigUint64Array(some.length + more.length);
  all.set(some);
  all.set(more, some.length);
  return all;
}
