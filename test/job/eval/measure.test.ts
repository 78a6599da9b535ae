import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerQuestions, rankStages, type Asking } from '../../../src/job/eval/measure.ts';
import type { Question } from '../../../src/query/eval/questions.ts';
import type { FindStages } from '../../../src/query/eval/stages.ts';
import type { LocalWork } from '../../../src/job/work.ts';
import type { Tree } from '../../../src/supervise/spec.ts';
import type { AnswerRecord, QueryRequest } from '../../../src/work.ts';

const question = (n: number): Question => ({
  id: `q${n}`,
  text: `text ${n}`,
  golden: ['yes'],
  options: n % 2 === 0 ? new Map([['A', 'x']]) : new Map(),
  right: undefined,
});
const questions = Array.from({ length: 40 }, (_, n) => question(n));

function asking(parts: Partial<LocalWork>, waits: string[] = []): Asking {
  const tree: Partial<Tree> = {
    statuses: () => [],
    untilReady: () => Promise.resolve(void waits.push('ready')),
  };
  const open = { work: parts as LocalWork, tree: tree as Tree };
  return { open, questions, onDone: () => {}, signal: new AbortController().signal };
}

const documentsOf = (text: string) => [{ document: `d of ${text}`, score: 1 }];
const rankingOf = (text: string) => ({
  documents: documentsOf(text),
  answerAt: text === 'text 3' ? 2 : null,
});

test('every question is ranked, in order, and a reranker that was away is waited for and asked again', async () => {
  const waits: string[] = [];
  const seen = new Map<string, number>();
  const stages: FindStages = (asked) =>
    Promise.resolve(
      asked.map(({ text }) => {
        const times = (seen.get(text) ?? 0) + 1;
        seen.set(text, times);
        if (text === 'text 17' && times < 3) return 'failed';
        return { lexical: rankingOf(text), reranked: rankingOf(text) };
      }),
    );
  const { runs, places } = await rankStages(asking({ stages }, waits), 100);
  assert.deepEqual([...runs.keys()], ['lexical', 'reranked']);
  assert.deepEqual(
    [...(runs.get('reranked')?.keys() ?? [])],
    questions.map(({ id }) => id),
  );
  assert.deepEqual(runs.get('reranked')?.get('q17'), documentsOf('text 17'));
  assert.deepEqual([places.get('lexical')?.get('q3'), places.get('lexical')?.get('q4')], [2, null]);
  assert.deepEqual([seen.get('text 17'), seen.get('text 16')], [3, 1], 'only what failed is asked again');
  assert.equal(waits.length, 2);
});

test('a reranker that never answers ends it: its stage must not be measured by another order', async () => {
  const stages: FindStages = (texts) => Promise.resolve(texts.map(() => 'failed'));
  await assert.rejects(rankStages(asking({ stages }), 100), {
    code: 'model-unavailable',
    message: /question "q\d+" no scores 3 times/,
  });
});

test('answers come in the order of the questions; options are asked and not searched for', async () => {
  const requests: QueryRequest[] = [];
  const query = async (request: QueryRequest): Promise<AnswerRecord> => {
    requests.push(request);
    if (request.query === 'text 0') await new Promise((resolve) => setImmediate(resolve));
    return { answer: `to ${request.query}` } as AnswerRecord;
  };
  const answers = await answerQuestions(asking({ query }), 3);
  assert.deepEqual(
    answers.map(({ answer }) => answer),
    questions.map(({ text }) => `to ${text}`),
  );
  const [first] = requests;
  assert.equal(first?.query, 'text 0');
  assert.match(first.asked ?? '', /^text 0 A\. x /);
  assert.equal(requests.find(({ query: text }) => text === 'text 1')?.asked, undefined);
  assert.equal(first.topk, 3);
});
