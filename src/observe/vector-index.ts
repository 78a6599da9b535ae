/** What of a tuning is told. */
interface Tuned {
  readonly search: 'compressed' | 'exact';
  readonly refine: number;
  readonly recall: number | null;
  readonly depth: number;
  readonly queries: number;
}

/** How the vectors are searched, on one line. Pure. */
export function vectorIndexText(tuning: Tuned | null): string {
  if (tuning === null) return 'every one is compared';
  const { recall, depth, queries, refine, search } = tuning;
  if (recall === null) return `compressed, ${refine} candidates for each hit; not tuned yet`;
  if (search === 'exact') return 'every one is compared: no setting of their index finds 0.98 of the nearest';
  return `compressed, ${refine} candidates for each hit: finds ${recall.toFixed(3)} of the nearest ${depth} (${queries} questions)`;
}
