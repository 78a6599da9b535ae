/** Many questions in one run: each is answered once, failures are kept apart, the rest waits for the next run. */
import { codeOf, type ErrorCode, type PlainError, toPlain } from '../../errors.ts';
import { concurrently } from '../../ingest/concurrently.ts';
import type { BatchQuestion } from '../../query/batch-questions.ts';
import type { AnswerRecord } from '../../work.ts';
import type { AnswersFile } from './answers.ts';
import { makeInOrder } from './in-order.ts';

export interface BatchInput {
  readonly questions: readonly BatchQuestion[];
  readonly answers: AnswersFile;
  /** How each is answered. */
  readonly answer: (query: string) => Promise<AnswerRecord>;
  /** Questions under way at the same time. */
  readonly atOnce: number;
  /** Called with the number of questions that are answered or have failed, those of earlier runs included. */
  readonly onDone: (done: number) => void;
  readonly signal: AbortSignal;
}

export interface BatchFailure extends Pick<PlainError, 'code' | 'message'> {
  readonly id: string;
}

export interface BatchReport {
  readonly questions: {
    readonly answered: number;
    /** Answered by earlier runs. */
    readonly unchanged: number;
    readonly failed: number;
  };
  readonly failures: readonly BatchFailure[];
  /** False when it was stopped before the last question. */
  readonly complete: boolean;
}

/** These say nothing of a question and would fail all others: the run ends with them. */
const notOfOne: ReadonlySet<ErrorCode> = new Set([
  'usage',
  'settings',
  'preflight',
  'index-mismatch',
  'index-damaged',
  'disk-full',
  'service-failed',
  'forbidden',
]);

/** Lines in memory that a kill would lose, behind one question that takes longer than all of theirs. */
const mostWaiting = 16;

/**
 * Answers what is not answered yet. The lines are written in the order of the questions, unless one of them takes so long that
 * too many would wait for it in memory, or a stop comes; the end of the batch, or the next run, sorts them.
 *
 * @throws what is not about one question
 */
export async function answerBatch(input: BatchInput): Promise<BatchReport> {
  const { questions, answers, atOnce, onDone } = input;
  const open = [...questions.keys()].filter((at) => !answers.answered.has(at));
  const unchanged = questions.length - open.length;
  const failures = new Map<number, BatchFailure>();
  const most = Math.max(mostWaiting, atOnce);
  const lines = makeInOrder(open, most, (at, line) => answers.write(at, line));
  let done = 0;
  try {
    for await (const result of concurrently(open, atOnce, async (at) => answerOne(input, at))) {
      if (result === 'dropped') continue;
      done += 1;
      if (result.failure !== undefined) failures.set(result.at, result.failure);
      await lines.add(result.at, result.line);
      onDone(unchanged + done);
    }
  } finally {
    await lines.flush();
  }
  const complete = done === open.length;
  if (complete) await answers.finish();
  return {
    questions: { answered: done - failures.size, unchanged, failed: failures.size },
    failures: open.flatMap((at) => failures.get(at) ?? []),
    complete,
  };
}

interface One {
  readonly at: number;
  readonly line: string;
  readonly failure?: BatchFailure;
}

async function answerOne({ questions, answer, signal }: BatchInput, at: number): Promise<One | 'dropped'> {
  const { id = '', query = '' } = questions[at] ?? {};
  if (signal.aborted) return 'dropped';
  try {
    return { at, line: JSON.stringify({ id, ...(await answer(query)) }) };
  } catch (error) {
    if (signal.aborted) return 'dropped';
    const code = codeOf(error);
    if (code !== undefined && notOfOne.has(code)) throw error;
    const failure = { id, code: toPlain(error).code, message: toPlain(error).message };
    return {
      at,
      line: JSON.stringify({ id, query, error: { code: failure.code, message: failure.message } }),
      failure,
    };
  }
}
