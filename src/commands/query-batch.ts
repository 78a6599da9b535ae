/** `query --queries F --answers F`: a file of questions in, a file of records out. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { Connection } from '../client/connection.ts';
import { readStatus } from '../client/documents.ts';
import { askQuery } from '../client/questions.ts';
import { load } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { errorTable, messageOf, RagError } from '../errors.ts';
import { answerBatch, type BatchReport } from '../job/batch/batch.ts';
import { openAnswers, type AnswersFile } from '../job/batch/answers.ts';
import type { OpenJob } from '../job/open.ts';
import { exceeds } from '../job/life/outcome.ts';
import { untilServing } from '../job/life/until-serving.ts';
import { batchText } from '../observe/batch.ts';
import { openSteps } from '../observe/steps.ts';
import { readQuestions, type BatchQuestion } from '../query/batch-questions.ts';
import { withServicesHere } from './here.ts';
import { filterOf, filterWords, topkOf, type VerbInput } from './verb.ts';
import { whoWorks } from './where.ts';

/** While a server generates one answer, the passages of the next are found; it works on one at a time. */
const perGenerator = 2;

/** @throws usage and no-input before any service is started; stopped */
export async function queryBatch(input: VerbInput): Promise<number> {
  const { line, tell, print } = input;
  const { queries, answers: path } = line.values;
  if (
    queries === undefined ||
    path === undefined ||
    line.positionals.length > 0 ||
    line.switches.has('stream')
  )
    throw wantsBoth();
  const started = performance.now();
  const questions = readQuestions(await readText(queries), queries);
  if (resolve(path) === resolve(queries)) throw wantsBoth();
  await using answers = await openAnswers(path, questions, queries);
  const { report, exit } = await answerAll(input, questions, answers);
  const seconds = Math.round(performance.now() - started) / 1000;
  const { questions: counts, failures } = report;
  print(
    line.switches.has('json')
      ? JSON.stringify({ questions: counts, failures, seconds, exit })
      : batchText(counts, failures),
  );
  if (exit === errorTable.stopped.exit) tell('stopped with questions left, the same command goes on');
  if (exit === errorTable['too-many-failed'].exit)
    tell('done, but more questions failed than RAG_MAX_FAILED allows; the same command asks them again');
  return exit;
}

interface Ended {
  readonly report: BatchReport;
  readonly exit: number;
}

async function answerAll(
  input: VerbInput,
  questions: readonly BatchQuestion[],
  answers: AnswersFile,
): Promise<Ended> {
  const nothingLeft = {
    questions: { answered: 0, unchanged: questions.length, failed: 0 },
    failures: [],
    complete: true,
  };
  if (answers.answered.size === questions.length) {
    await answers.finish();
    return { report: nothingLeft, exit: 0 };
  }
  const who = await whoWorks(input);
  return who === 'here' ? answerHere(input, questions, answers) : answerThere(input, who, questions, answers);
}

/** By the supervisor that runs, as many at a time as it works on. */
async function answerThere(
  input: VerbInput,
  who: Connection,
  questions: readonly BatchQuestion[],
  answers: AnswersFile,
): Promise<Ended> {
  await using connection = who;
  const { line, environment, signal } = input;
  filterOf(line); // what is wrong with it is wrong with all questions
  const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
  const { answers_at_once: atOnce = perGenerator } = await readStatus(connection, signal);
  using steps = openSteps(input, 'query');
  const ask = { topk: topkOf(line), filter: filterWords(line), isPatient: true };
  const report = await answerBatch({
    questions,
    answers,
    signal,
    answer: (query) => askQuery(connection, { ...ask, query, signal }),
    atOnce,
    onDone: (done) => steps.show('done', done, questions.length),
  });
  return ended(report, questions, settings.RAG_MAX_FAILED);
}

async function answerHere(
  input: VerbInput,
  questions: readonly BatchQuestion[],
  answers: AnswersFile,
): Promise<Ended> {
  const { line } = input;
  // The run is told that there is a question; none of theirs may stand in a log or a record of the run.
  const words = {
    ...line,
    settings: { ...line.settings, RAG_WORKER_MODE: 'query' },
    values: { ...line.values, query: `${questions.length} questions` },
  };
  const found: { ended?: Ended } = {};
  try {
    await withServicesHere(input, words, async (open, signal) => {
      const report = await answerIn(input, open, { questions, answers, signal });
      found.ended = ended(report, questions, open.prepared.settings.RAG_MAX_FAILED);
      return found.ended.exit;
    });
  } catch (error) {
    throw input.signal.aborted && found.ended === undefined ? stopped() : error;
  }
  if (found.ended === undefined) throw stopped();
  return found.ended;
}

function ended(
  report: BatchReport,
  questions: readonly BatchQuestion[],
  tolerated: Settings['RAG_MAX_FAILED'],
): Ended {
  if (!report.complete) return { report, exit: errorTable.stopped.exit };
  const tooMany = exceeds(report.questions.failed, questions.length, tolerated);
  return { report, exit: tooMany ? errorTable['too-many-failed'].exit : 0 };
}

async function answerIn(
  input: VerbInput,
  { work, tree, prepared }: OpenJob,
  given: {
    readonly questions: readonly BatchQuestion[];
    readonly answers: AnswersFile;
    readonly signal: AbortSignal;
  },
): Promise<BatchReport> {
  await untilServing(tree, prepared.plan, given.signal);
  const generators = prepared.plan.instances.filter(({ role }) => role === 'generate').length;
  using steps = openSteps(input, 'query');
  const ask = { topk: prepared.settings.RAG_TOPK, filter: filterOf(input.line) };
  return answerBatch({
    ...given,
    answer: (query) => work.query({ ...ask, query, signal: given.signal }),
    atOnce: perGenerator * Math.max(1, generators),
    onDone: (done) => steps.show('done', done, given.questions.length),
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new RagError(
      'no-input',
      `Cannot read ${path}: ${messageOf(cause)}, a file of questions is wanted`,
      {
        hint: `echo '{"id":"1","query":"What is it?"}' > ${path}`,
        cause,
      },
    );
  }
}

const wantsBoth = (): RagError =>
  new RagError(
    'usage',
    'Cannot answer a file of questions: --queries and --answers are wanted, two files, without a TEXT and --stream',
    { hint: 'node dist/supervisor.js query --queries questions.jsonl --answers answers.jsonl' },
  );

const stopped = (): RagError =>
  new RagError('stopped', 'Cannot finish the questions: it was stopped before the first was answered', {
    hint: 'the same command again: what is answered stays in the file of answers',
  });
