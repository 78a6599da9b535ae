/** The results of an evaluation as a table of 80 columns. */
import { withoutControls } from './terminal.ts';

interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

type Figures = Readonly<Record<string, Interval>>;

export interface EvaluationView {
  readonly title: string;
  readonly stages: Readonly<Record<string, Figures>>;
  readonly comparisons: readonly (Interval & {
    readonly stage: string;
    readonly against: string;
    readonly p_holm: number;
  })[];
  readonly answers: Figures;
  readonly notes: readonly string[];
}

/** `judged@10` is about the judgements, not about a mean that could be off. */
const shown = ['nDCG@10', 'recall@100', 'MRR@10'];

export function evaluationText({ title, stages, comparisons, answers, notes }: EvaluationView): string {
  const judged = Object.entries(stages).filter(([, figures]) => 'judged@10' in figures);
  const answered = Object.entries(stages).filter(([, figures]) => answerNames(figures).length > 0);
  const lines = [
    title,
    ...(judged.length === 0 ? [] : ['', header, ...judged.map(([name, figures]) => row(name, figures))]),
    ...(answered.length === 0 ? [] : ['', ...answerTable(answered)]),
    ...(comparisons.length === 0
      ? []
      : [
          '',
          `nDCG@10, paired by question; p for ${comparisons.length} comparisons`,
          ...comparisons.map(difference),
        ]),
    ...(Object.keys(answers).length === 0
      ? []
      : [
          '',
          'answers',
          ...Object.entries(answers).map(([name, figure]) => `${name.padEnd(24)}${cell(figure)}`),
        ]),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
  return withoutControls(lines.map((line) => line.trimEnd()).join('\n'));
}

const header = `${''.padEnd(10)}${shown.map((name) => name.padEnd(20)).join('')}judged@10`;

const row = (stage: string, figures: Figures): string =>
  `${stage.padEnd(10)}${shown.map((name) => cell(figures[name.toLowerCase()])).join('')}${figures['judged@10']?.mean.toFixed(3) ?? ''}`;

const answerNames = (figures: Figures): string[] =>
  Object.keys(figures).filter((name) => name.startsWith('answer@'));

/** How often a wanted answer stands in the first k passages. */
const answerTable = (stages: readonly (readonly [string, Figures])[]): string[] => {
  const names = answerNames(stages[0]?.[1] ?? {});
  return [
    `${''.padEnd(10)}${names.map((name) => name.padEnd(20)).join('')}`,
    ...stages.map(
      ([stage, figures]) => `${stage.padEnd(10)}${names.map((name) => cell(figures[name])).join('')}`,
    ),
  ];
};

/** 20 columns: the mean and its 95 % interval. */
const cell = (figure: Interval | undefined): string =>
  (figure === undefined
    ? ''
    : `${figure.mean.toFixed(3)} ${figure.low.toFixed(3)}-${figure.high.toFixed(3)}`
  ).padEnd(20);

/** Whether it is more than chance is for p to say. */
const difference = ({
  stage,
  against,
  mean,
  low,
  high,
  p_holm,
}: EvaluationView['comparisons'][number]): string =>
  `${`${stage} - ${against}`.padEnd(22)}${signed(mean)}  ${`[${signed(low)}, ${signed(high)}]`.padEnd(20)}p ${p_holm < 0.001 ? '< 0.001' : `= ${p_holm.toFixed(3)}`}`;

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
