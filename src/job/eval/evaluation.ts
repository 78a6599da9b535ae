/** One evaluation in a job of its own: ingest, rankings, answers. */
import { RagError } from '../../errors.ts';
import type { Collection } from '../../query/eval/collection.ts';
import type { Answered } from '../../query/eval/evaluate.ts';
import type { Run } from '../../query/eval/trec.ts';
import type { Inspection } from '../../store/types.ts';
import type { Filter, IngestProgress, IngestReport } from '../../work.ts';
import type { OpenJob } from '../open.ts';
import { answerQuestions, rankStages, untilAllReady, type RankedStages } from './measure.ts';

export interface EvaluationRequest {
  readonly collection: Collection;
  /** Undefined: the index is used as it stands. */
  readonly corpus: string | undefined;
  /** Documents of a ranking. */
  readonly depth: number;
  readonly topk: number;
  readonly filter?: Filter;
  readonly onIngest: (progress: IngestProgress) => void;
  readonly onStep: (step: 'ranked' | 'answered', done: number, of: number) => void;
}

/** Nothing is ranked where only options are to be chosen from. */
export interface Measured extends RankedStages {
  readonly answers: readonly Answered[];
  readonly ingest: IngestReport | undefined;
  readonly index: Inspection;
  readonly models: readonly { readonly role: string; readonly model: string }[];
  readonly engine: string;
  readonly notes: readonly string[];
}

/** @throws stopped, no-input when the index has no judged document, what services throw */
export async function measure(
  open: OpenJob,
  request: EvaluationRequest,
  signal: AbortSignal,
): Promise<Measured> {
  const { collection, corpus, depth, topk, filter = [], onStep } = request;
  const { plan } = open.prepared;
  const { questions, qrels } = collection;
  const wanted = questions.filter(({ golden, right }) => golden.length > 0 || right !== undefined);
  const canAnswer = plan.instances.some(({ role }) => role === 'generate');
  const isRanked = qrels !== undefined || questions.some(({ golden }) => golden.length > 0);
  if (!isRanked && !canAnswer) throw nothingToMeasure(collection);
  const ingest =
    corpus === undefined
      ? undefined
      : await open.work.ingest({ inputs: [corpus], uploads: [], onProgress: request.onIngest, signal });
  signal.throwIfAborted();
  await open.layouts.toAnswering(signal);
  await untilAllReady(open, signal);
  const asking = { open, filter, signal };
  const ranked = !isRanked
    ? { runs: new Map(), places: new Map() }
    : await rankStages(
        { ...asking, questions, onDone: (done) => onStep('ranked', done, questions.length) },
        depth,
      );
  if (qrels !== undefined) checkMatches(collection, ranked.runs);
  const answers =
    wanted.length === 0 || !canAnswer
      ? []
      : await answerQuestions(
          { ...asking, questions: wanted, onDone: (done) => onStep('answered', done, wanted.length) },
          topk,
        );
  return {
    ...ranked,
    answers,
    ingest,
    index: await open.work.inspect(),
    models: plan.instances.map(({ role, model }) => ({ role, model })),
    engine: plan.engine,
    notes: notesOn(ingest, wanted.length > 0 && !canAnswer, plan.engine),
  };
}

const nothingToMeasure = ({ name }: Collection): RagError =>
  new RagError(
    'usage',
    `Cannot evaluate ${name}: its questions only have options to choose from, and this job has no generator`,
    { hint: 'RAG_SERVICES=embed,rerank,generate OLLAMA_GENERATE_MODEL=qwen3:235b' },
  );

function checkMatches({ name, qrels }: Collection, runs: ReadonlyMap<string, Run>): void {
  let example = '';
  for (const run of runs.values())
    for (const [query, list] of run) {
      if (list.some(({ document }) => qrels?.get(query)?.has(document))) return;
      example ||= list[0]?.document ?? '';
    }
  throw new RagError(
    'no-input',
    `Cannot evaluate ${name}: nothing that was found is judged, the ids of documents in the index are not those of the judgements (found: "${example}")`,
    { hint: 'node dist/supervisor.js index inspect   # is it the index of this collection?' },
  );
}

const notesOn = (ingest: IngestReport | undefined, isUnanswered: boolean, engine: string): string[] => [
  ...(ingest !== undefined && ingest.documents.failed > 0
    ? [`documents of the corpus that could not be read and are never found: ${ingest.documents.failed}`]
    : []),
  ...(isUnanswered ? ['answers are wanted, but this job has no generator'] : []),
  ...(engine === 'embedded' ? ['embedded engine: no model has read anything, only words are compared'] : []),
];
