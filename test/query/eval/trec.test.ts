import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankAsTrecEval } from '../../../src/query/eval/measures.ts';
import { parseQrels, parseRun, printRun } from '../../../src/query/eval/trec.ts';

const plain = (text: string): unknown =>
  Object.fromEntries(
    [...parseQrels(text, 'q')].map(([query, grades]) => [query, Object.fromEntries(grades)]),
  );

test('judgements are read in TREC form, in BEIR form with its header, with CRLF, comments, tabs and a mark of order', () => {
  const expected = { q1: { a: 2, b: 0 }, q2: { a: -1 } };
  for (const text of [
    'q1 0 a 2\nq1 0 b 0\nq2 0 a -1\n',
    'query-id\tcorpus-id\tscore\nq1\ta\t2\nq1\tb\t0\nq2\ta\t-1',
    '\uFEFFquery-id\tcorpus-id\tscore\r\nq1\ta\t2\r\nq1\tb\t0\r\n\r\nq2\ta\t-1\r\n',
    '# judged by hand\nq1\t0\ta\t2.0\n q1   0  b  0 \nq2 Q0 a -1\nq1 0 a 2\n',
  ])
    assert.deepEqual(plain(text), expected, text);
});

test('an id between tabs may have blanks', () => {
  assert.deepEqual(plain('q 1\tmy notes.txt\t1\n'), { 'q 1': { 'my notes.txt': 1 } });
});

for (const [what, text, says] of [
  ['too few fields', 'q1 0 a 1\nq1 a\n', /line 2: "query document grade"/],
  ['a grade that is no number', 'q1 0 a 1\nq1 0 b yes\n', /line 2: the grade is "yes"/],
  ['two grades of one document', 'q1 0 a 1\n\nq1 0 a 2\n', /line 3: a has grade 1 for q1 above/],
  ['nothing', '# none\n', /it is empty/],
] as const)
  test(`judgements with ${what} are refused with the line`, () => {
    assert.throws(() => parseQrels(text, 'qrels.txt'), { code: 'no-input', message: says });
  });

for (const [what, text, says] of [
  ['too few fields', 'q1 Q0 a 1\n', /line 1: "query Q0 document rank score tag"/],
  ['a score that is no number', 'q1 Q0 a 1 high tag\n', /line 1: the score is "high"/],
  ['a document twice', 'q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n', /line 2: a stands twice for q1/],
] as const)
  test(`a run with ${what} is refused with the line`, () => {
    assert.throws(() => parseRun(text, 'run.txt'), { code: 'no-input', message: says });
  });

test('a run that is written and read again is the same, in the order of trec_eval, whatever its ids', () => {
  const score = 1 / 61 + 1 / 62;
  for (const query of ['q1', 'question one']) {
    const run = new Map([[query, ['a', 'c', 'b'].map((document) => ({ document, score }))]]);
    const text = printRun(run, 'fused', rankAsTrecEval);
    assert.deepEqual(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(/[\t ]/).at(-4)),
      ['c', 'b', 'a'],
    );
    assert.deepEqual(parseRun(text, 'run'), new Map([[query, rankAsTrecEval(run.get(query) ?? [])]]));
  }
});

test('the rank column of a run says nothing and the tag may be missing', () => {
  const run = parseRun('q1 Q0 a 1 0.5\r\nq1 Q0 b 2 1e1\r\n', 'run');
  assert.deepEqual(
    rankAsTrecEval(run.get('q1') ?? []).map(({ document }) => document),
    ['b', 'a'],
  );
});
