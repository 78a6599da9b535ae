/** All that an evaluation says: the record of `--json`, the runs it is about, and the words around its table. */
import type { Collection } from '../../query/eval/collection.ts';
import { evaluateAnswers, evaluatePlaces, evaluateRuns, type Figures } from '../../query/eval/evaluate.ts';
import type { Run } from '../../query/eval/trec.ts';
import type { Measured } from './evaluation.ts';
import { makeManifest, type EvaluationRecord } from './record.ts';

export interface ResultsInput {
  readonly collection: Collection;
  /** A run from a file. */
  readonly given: { readonly file: string; readonly run: Run } | undefined;
  /** Undefined: only the given run is measured. */
  readonly own: Measured | undefined;
  readonly seed: number;
  readonly topk: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly now: Date;
}

export interface Results {
  readonly record: EvaluationRecord;
  readonly runs: ReadonlyMap<string, Run>;
  readonly text: { readonly title: string; readonly notes: readonly string[] };
}

/** Documents of a ranking: recall@100 needs so many. */
export const depthFor = (topk: number): number => Math.max(100, topk);

export async function makeResults(input: ResultsInput): Promise<Results> {
  const { collection, given, own, seed, topk } = input;
  const { questions, qrels } = collection;
  const runs = new Map(own?.runs ?? []);
  if (given !== undefined) runs.set('run', given.run);
  const judged = qrels === undefined ? new Map<string, Run>() : runs;
  const retrieval = evaluateRuns({ runs: judged, qrels: qrels ?? new Map(), questions, topk, seed });
  const places = evaluatePlaces(own?.places ?? new Map(), questions, { topk, seed });
  const answers = evaluateAnswers(own?.answers ?? [], seed);
  const notes = [
    ...collection.notes,
    ...counted(retrieval.withoutRelevant, 'questions without a relevant document, left out'),
    ...counted(answers.undecided, 'answers that name no option, counted as wrong'),
    ...(own?.notes ?? []),
  ];
  const manifest = await makeManifest({
    ...input,
    alsoRead: given === undefined ? [] : [given.file],
    depth: depthFor(topk),
    runs,
    measured: own,
    notes,
    counts: {
      questions: questions.length,
      scored: retrieval.scored,
      without_relevant: retrieval.withoutRelevant,
      answered: answers.answered,
      undecided: answers.undecided,
    },
  });
  const { comparisons } = retrieval;
  const stages = joined(retrieval.stages, places);
  const documents = own === undefined ? '' : `, ${own.index.documents.processed} documents`;
  const asked = retrieval.scored || questions.length;
  const title = `${collection.name}: ${asked} question${asked === 1 ? '' : 's'}${documents}`;
  return {
    record: { stages, comparisons, answers: answers.figures, manifest },
    runs,
    text: { title, notes },
  };
}

/** Both kinds of figures of each stage. */
const joined = (
  judged: Readonly<Record<string, Figures>>,
  places: Readonly<Record<string, Figures>>,
): Record<string, Figures> =>
  Object.fromEntries(
    [...new Set([...Object.keys(judged), ...Object.keys(places)])].map((stage) => [
      stage,
      { ...judged[stage], ...places[stage] },
    ]),
  );

const counted = (count: number, what: string): string[] => (count === 0 ? [] : [`${what}: ${count}`]);
