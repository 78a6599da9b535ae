/** From rankings and judgements to figures. Pure. */
import { scoreAnswer, chosenOption } from './answers.ts';
import {
  hasRelevant,
  judge,
  judgedAt,
  ndcgAt,
  recallAt,
  reciprocalRankAt,
  type Judged,
  type Measure,
} from './measures.ts';
import type { Question } from './questions.ts';
import { bootstrap, compare, correctedByHolm, type Comparison, type Interval } from './statistics.ts';
import type { Qrels, Run } from './trec.ts';

/** By name, e.g. `ndcg@10`. */
export type Figures = Readonly<Record<string, Interval>>;

export interface StageComparison extends Comparison {
  /** The difference is `stage` - `against`. */
  readonly stage: string;
  readonly against: string;
  readonly measure: string;
  /** p after Holm's correction over all comparisons here. */
  readonly p_holm: number;
}

export interface RetrievalResult {
  readonly stages: Readonly<Record<string, Figures>>;
  readonly comparisons: readonly StageComparison[];
  /** Over which the means are taken: each has a text, and a document that is relevant. */
  readonly scored: number;
  /** Judged, but nothing is relevant to them: no ranking could be right. */
  readonly withoutRelevant: number;
}

export interface EvaluationInput {
  /** By stage, in the order in which they are shown. A judged question that a run lacks counts as 0. */
  readonly runs: ReadonlyMap<string, Run>;
  readonly qrels: Qrels;
  readonly questions: readonly Question[];
  /** Passages in an answer's prompt: recall there is what an answer can rest on. */
  readonly topk: number;
  readonly seed: number;
}

const compared = 'ndcg@10';

const measuresFor = (topk: number): Readonly<Record<string, Measure>> => ({
  [compared]: ndcgAt(10),
  [`recall@${topk}`]: recallAt(topk),
  'recall@100': recallAt(100),
  'mrr@10': reciprocalRankAt(10),
  'judged@10': judgedAt(10),
});

export function evaluateRuns({ runs, qrels, questions, topk, seed }: EvaluationInput): RetrievalResult {
  const judged = questions.flatMap(({ id }) => (qrels.has(id) ? [id] : []));
  const scored = judged.filter((id) => hasRelevant(qrels.get(id) ?? new Map()));
  const values = new Map(
    [...runs].map(([stage, run]) => [stage, valuesOf(run, qrels, scored, measuresFor(topk))]),
  );
  const stages: Record<string, Figures> = {};
  for (const [stage, byMeasure] of values)
    stages[stage] = Object.fromEntries(
      Object.entries(byMeasure).map(([name, numbers]) => [name, bootstrap(numbers, seed)]),
    );
  const ranks = new Map([...values].map(([stage, byMeasure]) => [stage, byMeasure[compared] ?? []]));
  return {
    stages,
    comparisons: compareAll(ranks, seed),
    scored: scored.length,
    withoutRelevant: judged.length - scored.length,
  };
}

/** One value per question, in their order. */
function valuesOf(
  run: Run,
  qrels: Qrels,
  questions: readonly string[],
  measures: Readonly<Record<string, Measure>>,
): Record<string, number[]> {
  const judged = questions.map((id): Judged => judge(run.get(id) ?? [], qrels.get(id) ?? new Map()));
  return Object.fromEntries(Object.entries(measures).map(([name, measure]) => [name, judged.map(measure)]));
}

/** Every pair, the later stage against the earlier. */
function compareAll(values: ReadonlyMap<string, readonly number[]>, seed: number): StageComparison[] {
  const list = [...values];
  const pairs = list.flatMap(([stage, numbers], at) =>
    list
      .slice(0, at)
      .map(([against, others]) => ({ stage, against, measure: compared, ...compare(numbers, others, seed) })),
  );
  const corrected = correctedByHolm(pairs.map(({ p }) => p));
  return pairs.map((pair, at) => ({ ...pair, p_holm: corrected[at] ?? 1 }));
}

/**
 * How often a wanted answer stands in the first k passages, which judges nobody needs for (top-k accuracy: Karpukhin et
 * al., EMNLP 2020). Over the questions with wanted answers.
 *
 * @param places by stage and question: from 1; null where no passage holds one
 */
export function evaluatePlaces(
  places: ReadonlyMap<string, ReadonlyMap<string, number | null>>,
  questions: readonly Question[],
  { topk, seed }: Pick<EvaluationInput, 'topk' | 'seed'>,
): Record<string, Figures> {
  const wanting = questions.filter(({ golden }) => golden.length > 0);
  if (wanting.length === 0) return {};
  const shareWithin = (byQuestion: ReadonlyMap<string, number | null>, k: number): Interval =>
    bootstrap(
      wanting.map(({ id }) => ((byQuestion.get(id) ?? Infinity) <= k ? 1 : 0)),
      seed,
    );
  return Object.fromEntries(
    [...places].map(([stage, byQuestion]) => [
      stage,
      Object.fromEntries([topk, 20, 100].map((k) => [`answer@${k}`, shareWithin(byQuestion, k)])),
    ]),
  );
}

/** What was answered to a question. */
export interface Answered {
  readonly question: Question;
  readonly answer: string;
}

export interface AnswerResult {
  readonly answered: number;
  /** Of questions with wanted answers: `em` and `f1`; of multiple choices: `accuracy`. */
  readonly figures: Figures;
  /** Multiple choices whose answer names no option; they count as wrong. */
  readonly undecided: number;
}

export function evaluateAnswers(answers: readonly Answered[], seed: number): AnswerResult {
  const open = answers
    .filter(({ question }) => question.golden.length > 0)
    .map(({ question, answer }) => scoreAnswer(answer, question.golden));
  const choices = answers
    .filter(({ question }) => question.right !== undefined)
    .map(({ question, answer }) => ({
      chosen: chosenOption(answer, question.options),
      right: question.right,
    }));
  const figures: Record<string, Interval> = {};
  if (open.length > 0) {
    figures['em'] = bootstrap(
      open.map(({ em }) => em),
      seed,
    );
    figures['f1'] = bootstrap(
      open.map(({ f1 }) => f1),
      seed,
    );
  }
  if (choices.length > 0)
    figures['accuracy'] = bootstrap(
      choices.map(({ chosen, right }) => (chosen === right ? 1 : 0)),
      seed,
    );
  return {
    answered: answers.length,
    figures,
    undecided: choices.filter(({ chosen }) => chosen === undefined).length,
  };
}
