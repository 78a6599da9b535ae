/**
 * The measures of trec_eval 9, number for number: `ndcg_cut` (linear gain), `recall`, `P`, `success` and `recip_rank`.
 * What a judge has not seen counts as not relevant; grades below 1 are not relevant and gain nothing.
 */

/** A document of a ranking. */
export interface Scored {
  readonly document: string;
  /** Higher is better. */
  readonly score: number;
}

/** Grade of each judged document of one query. */
export type Grades = ReadonlyMap<string, number>;

/**
 * Best first, in trec_eval's order, which is that of the scores alone: it reads them as 32-bit floats, breaks ties by
 * document id, the greatest bytes first, and never looks at the rank column of a run.
 */
export const rankAsTrecEval = (list: readonly Scored[]): Scored[] =>
  list.toSorted(
    (a, b) => Math.fround(b.score) - Math.fround(a.score) || compareBytes(b.document, a.document),
  );

/** As `strcmp`: JavaScript's own order differs beyond the basic plane. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** One query's ranking with its judgements, best first. Null: nobody judged the document. */
export interface Judged {
  readonly ranked: readonly (number | null)[];
  readonly grades: Grades;
}

export const judge = (list: readonly Scored[], grades: Grades): Judged => ({
  ranked: rankAsTrecEval(list).map(({ document }) => grades.get(document) ?? null),
  grades,
});

/** From 0 to 1. Measures of a query without relevant documents are 0. */
export type Measure = (judged: Judged) => number;

const isRelevant = (grade: number | null): boolean => (grade ?? 0) >= 1;

const relevantIn = (grades: Iterable<number | null>): number => [...grades].filter(isRelevant).length;

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Gain is the grade itself; 2^grade - 1, which others use, gives other numbers on graded judgements. */
export const ndcgAt =
  (k: number): Measure =>
  ({ ranked, grades }) =>
    share(
      discountedGain(ranked.slice(0, k)),
      discountedGain([...grades.values()].sort((a, b) => b - a).slice(0, k)),
    );

const discountedGain = (ranked: readonly (number | null)[]): number =>
  ranked.reduce<number>((sum, grade, at) => sum + Math.max(grade ?? 0, 0) / Math.log2(at + 2), 0);

export const recallAt =
  (k: number): Measure =>
  ({ ranked, grades }) =>
    share(relevantIn(ranked.slice(0, k)), relevantIn(grades.values()));

/** Of k, also where fewer were found. */
export const precisionAt =
  (k: number): Measure =>
  ({ ranked }) =>
    relevantIn(ranked.slice(0, k)) / k;

export const successAt =
  (k: number): Measure =>
  ({ ranked }) =>
    ranked.slice(0, k).some(isRelevant) ? 1 : 0;

/** 1 / rank of the first relevant document among the first k. `recip_rank` has no k; with one it is MRR@k's term. */
export const reciprocalRankAt =
  (k = Infinity): Measure =>
  ({ ranked }) => {
    const at = ranked.slice(0, k).findIndex(isRelevant);
    return at < 0 ? 0 : 1 / (at + 1);
  };

/** Of the first k that were found, how many somebody has judged: where it is low, the other measures are too low. */
export const judgedAt =
  (k: number): Measure =>
  ({ ranked }) => {
    const top = ranked.slice(0, k);
    return share(top.filter((grade) => grade !== null).length, top.length);
  };

export const hasRelevant = (grades: Grades): boolean => [...grades.values()].some(isRelevant);

export interface Scope {
  /** As trec_eval's `-c`: a judged query that the run lacks counts as 0. Otherwise it is left out. */
  readonly complete: boolean;
  /** trec_eval counts judged queries without a relevant document, as 0; they say nothing about a ranking. */
  readonly withoutRelevant: 'zero' | 'left out';
}

/** Which queries are averaged over, in the order of the judgements. What is in the run alone never counts. */
export const queriesInScope = (
  qrels: ReadonlyMap<string, Grades>,
  run: ReadonlyMap<string, readonly Scored[]>,
  { complete, withoutRelevant }: Scope,
): string[] =>
  [...qrels]
    .filter(([query]) => complete || run.has(query))
    .filter(([, grades]) => withoutRelevant === 'zero' || hasRelevant(grades))
    .map(([query]) => query);
