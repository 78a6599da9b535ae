import { rm } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere, writeAtomic } from '../../disk/atomic.ts';
import { everyPartition } from './vector-index.ts';

/** Of the passages that an exact search finds, how many the index must find as well. */
const wantedRecall = 0.98;

/** How the compressed vectors of main are searched, and what was measured when that was decided. */
export interface Tuning {
  readonly kind: 'ivf_rq';
  /** `exact`: no setting found enough, every row is compared. */
  readonly search: 'compressed' | 'exact';
  readonly nprobes: number;
  /** So many times as many candidates as are wanted are compared by their whole vectors. */
  readonly refine: number;
  /** Share of the best `depth` of an exact search that the best `depth` of this one hold; null: not measured yet. */
  readonly recall: number | null;
  readonly depth: number;
  /** How many questions were asked for it. */
  readonly queries: number;
  /** Rows of main then. */
  readonly rows: number;
  /** ISO 8601. */
  readonly at: string | null;
}

/** Before it is tuned: all partitions, and more candidates than were ever found to be needed. */
export const untuned = (rows: number): Tuning => ({
  kind: 'ivf_rq',
  search: 'compressed',
  nprobes: everyPartition(rows),
  refine: 8,
  recall: null,
  depth: 0,
  queries: 0,
  rows,
  at: null,
});

const file = (root: string): string => path.join(root, 'vector-index.json');

/** Undefined where nothing was measured, or not of this index. */
export async function readTuning(root: string): Promise<Tuning | undefined> {
  const text = await readIfThere(file(root));
  try {
    const tuning = JSON.parse(text ?? 'null') as Tuning | null;
    return tuning?.kind === 'ivf_rq' ? tuning : undefined;
  } catch {
    return undefined;
  }
}

export const writeTuning = (root: string, tuning: Tuning): Promise<void> =>
  writeAtomic(file(root), `${JSON.stringify(tuning, null, 2)}\n`, 0o644);

/** Before another index is made: what was measured is not true of it. */
export const forgetTuning = (root: string): Promise<void> => rm(file(root), { force: true });

/** Of another index, or of one that has doubled since. */
export const isTuningDue = (tuning: Tuning | undefined, rows: number): boolean =>
  tuning === undefined || rows > 2 * tuning.rows;

/** A setting that was tried. */
export interface Tried {
  readonly nprobes: number;
  readonly refine: number;
  readonly recall: number;
}

/** The cheapest that found enough: fewer partitions before fewer candidates. Pure. */
export function cheapest(tried: readonly Tried[]): Tried | undefined {
  const enough = tried.filter(({ recall }) => recall >= wantedRecall);
  return enough.toSorted((a, b) => a.nprobes - b.nprobes || a.refine - b.refine)[0];
}

/**
 * How main is searched for so many. Of few that are wanted there are as many candidates as the tuning has looked at,
 * and with a filter all partitions are probed: what it leaves of a few of them may be too little. Pure.
 */
export const makeProbe = (
  { nprobes, refine, depth, rows }: Tuning,
  { limit, isFiltered }: { readonly limit: number; readonly isFiltered: boolean },
): { readonly nprobes: number; readonly candidates: number } => ({
  nprobes: isFiltered ? everyPartition(rows) : nprobes,
  candidates: refine * Math.max(limit, depth),
});
