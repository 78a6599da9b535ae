/** Asks every question of a collection: rankings by stage, and answers where some are wanted. */
import { RagError } from '../../errors.ts';
import { concurrently } from '../../ingest/concurrently.ts';
import { askWithOptions } from '../../query/eval/answers.ts';
import type { Answered } from '../../query/eval/evaluate.ts';
import type { Question } from '../../query/eval/questions.ts';
import type { StageRanking, StageRankings } from '../../query/eval/stages.ts';
import type { Run } from '../../query/eval/trec.ts';
import type { Filter } from '../../work.ts';
import type { OpenJob } from '../open.ts';

export interface Asking {
  readonly open: Pick<OpenJob, 'work' | 'tree'>;
  readonly questions: readonly Question[];
  /** Called with the number of questions that are done. */
  readonly onDone: (done: number) => void;
  readonly filter?: Filter;
  readonly signal: AbortSignal;
}

/** Of 16 questions with 300 passages from both searches there are some 20 MB of text. */
const questionsPerGroup = 16;
/** While one group is ranked, the next is embedded. */
const groupsAtOnce = 2;
/** One server answers them; more than it has places for would wait there. */
const answersAtOnce = 4;
const triesOfReranker = 3;

const stageNames = ['lexical', 'dense', 'fused', 'reranked'] as const;

/** By stage, in the order in which a question passes them. Only the stages that the job has. */
export interface RankedStages {
  readonly runs: ReadonlyMap<string, Run>;
  /** By question: place of the first passage that holds a wanted answer. */
  readonly places: ReadonlyMap<string, ReadonlyMap<string, number | null>>;
}

/** @throws model-unavailable when the reranker keeps failing */
export async function rankStages(asking: Asking, depth: number): Promise<RankedStages> {
  const { questions, onDone } = asking;
  const found = new Map<string, StageRankings>();
  const groups = Array.from({ length: Math.ceil(questions.length / questionsPerGroup) }, (_, at) =>
    questions.slice(at * questionsPerGroup, (at + 1) * questionsPerGroup),
  );
  for await (const rankings of concurrently(groups, groupsAtOnce, (group) =>
    rankGroup(asking, group, depth),
  )) {
    for (const [id, stages] of rankings) found.set(id, stages);
    onDone(found.size);
  }
  const runs = new Map<string, Run>();
  const places = new Map<string, ReadonlyMap<string, number | null>>();
  for (const stage of stageNames) {
    // In the order of the questions, whatever finished first: the same run is the same file.
    const lists = questions.flatMap(({ id }): [string, StageRanking][] => {
      const list = found.get(id)?.[stage];
      return list === undefined ? [] : [[id, list]];
    });
    if (lists.length === 0) continue;
    runs.set(stage, new Map(lists.map(([id, { documents }]) => [id, documents])));
    places.set(stage, new Map(lists.map(([id, { answerAt }]) => [id, answerAt])));
  }
  return { runs, places };
}

/** A reranker that restarts is waited for: a ranking that it has not seen must not count as its own. */
async function rankGroup(
  { open, filter, signal }: Asking,
  group: readonly Question[],
  depth: number,
): Promise<(readonly [string, StageRankings])[]> {
  const ranked: (readonly [string, StageRankings])[] = [];
  let left = group;
  for (let attempt = 1; left.length > 0; attempt++) {
    signal.throwIfAborted();
    if (attempt > triesOfReranker) throw rerankerFails(left[0]?.id ?? '');
    if (attempt > 1) await untilAllReady(open, signal);
    const lists = await open.work.stages(left, depth, signal, filter);
    const failed: Question[] = [];
    for (const [at, question] of left.entries()) {
      const stages = lists[at];
      if (stages === 'failed' || stages === undefined) failed.push(question);
      else ranked.push([question.id, stages]);
    }
    left = failed;
  }
  return ranked;
}

/** What the model is asked is more than what is searched for when there are options. */
export async function answerQuestions(asking: Asking, topk: number): Promise<Answered[]> {
  const { open, questions, filter, onDone, signal } = asking;
  const answers: Answered[] = [];
  const answer = async (question: Question): Promise<Answered> => {
    signal.throwIfAborted();
    const { text, options } = question;
    const asked = options.size > 0 ? { asked: askWithOptions(text, options) } : {};
    const record = await open.work.query({ query: text, ...asked, topk, filter, signal });
    return { question, answer: record.answer };
  };
  for await (const answered of concurrently(questions, answersAtOnce, answer)) {
    answers.push(answered);
    onDone(answers.length);
  }
  const place = new Map(questions.map(({ id }, at) => [id, at]));
  return answers.sort((a, b) => (place.get(a.question.id) ?? 0) - (place.get(b.question.id) ?? 0));
}

/** But those that have left after the ingest. */
export const untilAllReady = ({ tree }: Pick<OpenJob, 'tree'>, signal: AbortSignal): Promise<void> =>
  tree.untilReady(
    tree.statuses().flatMap(({ id, current }) => (current.state === 'exited' ? [] : [id])),
    signal,
  );

const rerankerFails = (id: string): RagError =>
  new RagError(
    'model-unavailable',
    `Cannot measure the reranked stage: the reranker gave question "${id}" no scores ${triesOfReranker} times`,
    { hint: 'RERANKER_BACKEND=none   # measures the other stages' },
  );
