import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { RagError } from '../../../src/errors.ts';
import { answerBatch, type BatchReport } from '../../../src/job/batch/batch.ts';
import { openAnswers } from '../../../src/job/batch/answers.ts';
import type { BatchQuestion } from '../../../src/query/batch-questions.ts';
import type { AnswerRecord, QueryRequest } from '../../../src/work.ts';
import { watchLeaks } from '../../leaks.ts';
import { printedWithOwnDisk } from '../../own-disk.ts';

const leaks = watchLeaks();
const folder = await mkdtemp(join(tmpdir(), 'rag-batch-'));
after(async () => {
  await rm(folder, { recursive: true });
  await leaks.assertNone();
});
let files = 0;
const newFile = (): string => join(folder, `answers-${(files += 1)}.jsonl`);

const questions: BatchQuestion[] = Array.from({ length: 12 }, (_, at) => ({
  id: `q${at}`,
  query: `What is ${at}?`,
}));
const record = (query: string): AnswerRecord => ({
  query,
  answer: `It is so: ${query}`,
  citations: [],
  sentences: [],
  citations_dropped: 0,
  retrieved: 0,
  reranked: false,
  model: 'parrot',
  timings_ms: { retrieve: 0, rerank: 0, generate: 0, total: 0 },
});

interface Run {
  readonly asked: string[];
  readonly report: BatchReport;
}

type Answer = (request: QueryRequest) => Promise<AnswerRecord>;

async function runBatch(
  path: string,
  answer: Answer,
  more: { list?: BatchQuestion[]; signal?: AbortSignal } = {},
): Promise<Run> {
  const { list = questions, signal = new AbortController().signal } = more;
  const asked: string[] = [];
  await using answers = await openAnswers(path, list, 'questions.jsonl');
  const report = await answerBatch({
    questions: list,
    answers,
    answer: (query) => {
      asked.push(query);
      return answer({ query, topk: 5, signal });
    },
    atOnce: 3,
    onDone: () => undefined,
    signal,
  });
  return { asked, report };
}

const right: Answer = async ({ query }) => record(query);
const idsIn = async (path: string): Promise<unknown[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: unknown }).id);
const allIds = questions.map(({ id }) => id);

test('what is finished behind a question that takes long is written meanwhile, and sorted at the end', async () => {
  const path = newFile();
  const list = Array.from({ length: 60 }, (_, at) => ({ id: `q${at}`, query: `What is ${at}?` }));
  const held = Promise.withResolvers<void>();
  let before = 0;
  const slowFirst: Answer = async ({ query }) => {
    if (query === 'What is 0?') await held.promise;
    if (query === 'What is 59?') {
      before = (await idsIn(path)).length;
      held.resolve();
    }
    return record(query);
  };
  const { report } = await runBatch(path, slowFirst, { list });
  assert.equal(report.questions.answered, 60);
  assert.ok(before >= 60 - 16 - 3, `${before} lines`);
  assert.deepEqual(
    await idsIn(path),
    list.map(({ id }) => id),
  );
});

test('a batch writes a record with its id for each question, in their order, whichever is answered first', async () => {
  const path = newFile();
  const release: (() => void)[] = [];
  let early = '';
  const slowFirst: Answer = async ({ query }) => {
    // The first of three at once is held until three later ones are done.
    if (query === 'What is 0?') await new Promise<void>((resolve) => release.push(resolve));
    if (query === 'What is 4?') {
      early = await readFile(path, 'utf8');
      release[0]?.();
    }
    return record(query);
  };
  const { report } = await runBatch(path, slowFirst);
  assert.deepEqual(report, {
    questions: { answered: 12, unchanged: 0, failed: 0 },
    failures: [],
    complete: true,
  });
  assert.equal(early, '', 'nothing before the first');
  assert.deepEqual(await idsIn(path), allIds);
  const [first = ''] = (await readFile(path, 'utf8')).split('\n');
  assert.deepEqual(JSON.parse(first), { id: 'q0', ...record('What is 0?') });
});

test('what is answered is not asked again; a torn last line is dropped and asked again', async () => {
  const path = newFile();
  await runBatch(path, right);
  const whole = await readFile(path, 'utf8');
  assert.deepEqual((await runBatch(path, right)).asked, []);
  for (const cut of [1, 20, 200, whole.length - 3, whole.length]) {
    await writeFile(path, whole.slice(0, whole.length - cut));
    const lines = whole.slice(0, whole.length - cut).split('\n').length - 1;
    const { asked, report } = await runBatch(path, right);
    assert.equal(asked.length, 12 - lines);
    assert.equal(report.questions.unchanged, lines);
    assert.equal(await readFile(path, 'utf8'), whole);
  }
});

test('a last line whose blocks were never filled is dropped', async () => {
  const path = newFile();
  await runBatch(path, right);
  const whole = await readFile(path, 'utf8');
  await appendFile(path, Buffer.alloc(300));
  await runBatch(path, right);
  assert.equal(await readFile(path, 'utf8'), whole);
});

test('a failure is a record with code and message, and is asked again by the next run, in its place', async () => {
  const path = newFile();
  const failing: Answer = async ({ query }) => {
    if (query === 'What is 3?') throw new RagError('too-long', 'Cannot generate: too long');
    if (query === 'What is 7?') throw new TypeError('oops');
    return record(query);
  };
  const { report } = await runBatch(path, failing);
  assert.deepEqual(report.questions, { answered: 10, unchanged: 0, failed: 2 });
  assert.deepEqual(report.failures, [
    { id: 'q3', code: 'too-long', message: 'Cannot generate: too long' },
    { id: 'q7', code: 'bug', message: 'oops' },
  ]);
  const fourth = (await readFile(path, 'utf8')).split('\n')[3] ?? '';
  assert.deepEqual(JSON.parse(fourth), {
    id: 'q3',
    query: 'What is 3?',
    error: { code: 'too-long', message: 'Cannot generate: too long' },
  });
  const again = await runBatch(path, right);
  assert.deepEqual(again.asked, ['What is 3?', 'What is 7?']);
  assert.deepEqual(again.report.questions, { answered: 2, unchanged: 10, failed: 0 });
  assert.deepEqual(await idsIn(path), allIds);
  assert.doesNotMatch(await readFile(path, 'utf8'), /"error"/);
});

test('a stop keeps what is finished, drops what is open, and the next run goes on', async () => {
  const path = newFile();
  const stop = new AbortController();
  let answered = 0;
  const stopping: Answer = async ({ query, signal }) => {
    if (query === 'What is 4?')
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new RagError('aborted', 'Cannot go on')));
      });
    answered += 1;
    if (answered === 6) stop.abort();
    return record(query);
  };
  const { report } = await runBatch(path, stopping, { signal: stop.signal });
  assert.equal(report.complete, false);
  assert.deepEqual(report.questions, { answered: 6, unchanged: 0, failed: 0 });
  assert.deepEqual(await idsIn(path), ['q0', 'q1', 'q2', 'q3', 'q5', 'q6']);
  const again = await runBatch(path, right);
  assert.equal(again.asked[0], 'What is 4?');
  assert.equal(again.asked.length, 6);
  assert.deepEqual(await idsIn(path), allIds);
});

test('what is wrong with the run and not with a question ends it', async () => {
  const path = newFile();
  const mismatch: Answer = async ({ query }) => {
    if (query === 'What is 5?') throw new RagError('index-mismatch', 'Cannot search');
    return record(query);
  };
  await assert.rejects(runBatch(path, mismatch), { code: 'index-mismatch' });
  assert.deepEqual((await idsIn(path)).slice(0, 5), allIds.slice(0, 5));
});

test('answers to other questions, and files of something else, are refused and stay as they are', async () => {
  const path = newFile();
  await runBatch(path, right);
  const others = questions.map(({ id }) => ({ id, query: `Other ${id}` }));
  await assert.rejects(runBatch(path, right, { list: others }), { code: 'usage', message: /line 1 .*"q0"/ });
  await assert.rejects(runBatch(path, right, { list: questions.slice(0, 11) }), {
    message: /line 12 .*"q11"/,
  });
  for (const text of [
    'a text\nof mine\n',
    'a text',
    '{"title":"mine"}\n',
    '[1]',
    '{"id":"q0","query":"What is 0?"}\nmore\n',
  ]) {
    await writeFile(path, text);
    await assert.rejects(runBatch(path, right), { code: 'usage' }, text);
    assert.equal(await readFile(path, 'utf8'), text);
  }
});

test('more questions at the end of the file go on with the same answers', async () => {
  const path = newFile();
  await runBatch(path, right, { list: questions.slice(0, 7) });
  const { asked } = await runBatch(path, right);
  assert.equal(asked.length, 5);
  assert.deepEqual(await idsIn(path), allIds);
});

test('two runs on one file do not write over each other', async () => {
  const path = newFile();
  const intruding: Answer = async ({ query }) => {
    if (query === 'What is 5?') await appendFile(path, '{"id":"q9","query":"What is 9?"}\n');
    return record(query);
  };
  await assert.rejects(runBatch(path, intruding), { code: 'usage', message: /changed under this run/ });
  assert.equal((await runBatch(path, right)).report.complete, true);
});

test('a full disk ends the run and is said to be full; what was written whole stays', (context) => {
  const program = join(import.meta.dirname, '../../fixtures/fills-the-disk-of-its-answers.ts');
  const printed = printedWithOwnDisk(context, program);
  if (printed !== undefined)
    assert.deepEqual(printed, { first: 'disk-full', second: 'complete', inOrder: true });
});

test('however a run was cut, the next ones end with every answer once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(14), fc.nat(400), fc.nat(12)), { maxLength: 4 }),
      async (runs) => {
        const path = newFile();
        for (const [stopAfter, cut, failAt] of runs) {
          const stop = new AbortController();
          let count = 0;
          const answer: Answer = async ({ query }) => {
            if (query === `What is ${failAt}?`) throw new RagError('model-unavailable', 'Cannot generate');
            count += 1;
            if (count > stopAfter) stop.abort();
            return record(query);
          };
          await runBatch(path, answer, { signal: stop.signal });
          const text = await readFile(path);
          await writeFile(path, text.subarray(0, Math.max(0, text.length - cut)));
        }
        const { report } = await runBatch(path, right);
        assert.equal(report.questions.answered + report.questions.unchanged, 12);
        assert.deepEqual(await idsIn(path), allIds);
      },
    ),
    { numRuns: 25 },
  );
});
