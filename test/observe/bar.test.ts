import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barText } from '../../src/observe/bar.ts';
import { ingestBar } from '../../src/observe/progress.ts';
import { stepsBar, stepsLine } from '../../src/observe/steps.ts';
import type { IngestProgress } from '../../src/work.ts';

const progress: IngestProgress = {
  documentsDone: 1234,
  documentsTotal: 4000,
  chunks: 56_789,
  embedded: 56_000,
  tokens: 20_000_000,
  failed: 3,
};

const cases: [number, string][] = [
  [30, '1,234 of 4,000 documents'],
  [48, '[###---------]  30 % 1,234 of 4,000 documents'],
  [80, '[####----------]  30 % 1,234 of 4,000 documents, 3 failed, 4 min left'],
];
for (const [columns, wanted] of cases)
  test(`an ingest in ${columns} columns shows what matters most`, () => {
    assert.equal(
      ingestBar(progress, 100, columns).replace(/\[[#-]+\]/, '[]'),
      wanted.replace(/\[[#-]+\]/, '[]'),
    );
  });

test('a bar never takes more columns than there are, but for its counts', () => {
  for (let columns = 1; columns < 200; columns += 1) {
    for (const total of [null, 0, 10, 4000]) {
      const text = barText(
        { done: 10, of: total, what: 'documents', more: ['3 failed', '12 s left', 'x'.repeat(30)] },
        columns,
      );
      assert.ok(text.length <= Math.max(columns, '10 of 4,000 documents'.length), text);
    }
  }
});

test('a bar is full at the end, and never more than full', () => {
  const bar = (done: number, of: number): string => barText({ done, of, what: 'x', more: [] }, 60);
  assert.match(bar(10, 10), /^\[#{40}\] 100 % 10 of 10 x$/);
  assert.match(bar(12, 10), /^\[#{40}\] 100 % 12 of 10 x$/);
  assert.match(bar(0, 10), /^\[-{40}\] {3}0 % 0 of 10 x$/);
  assert.match(bar(0, 0), / 100 % 0 of 0 x$/);
});

test('while nobody knows how much there is, there are counts and no bar', () => {
  assert.equal(
    ingestBar({ ...progress, documentsTotal: null, failed: 0 }, 100, 80),
    '1,234 documents, 56,789 chunks',
  );
});

test('steps are counted with the time that is left', () => {
  const steps = { what: 'ranked', things: 'questions', done: 20, of: 100, seconds: 10 };
  assert.equal(stepsLine(steps), '20 of 100 questions ranked, 40 s left');
  assert.match(stepsBar(steps, 80), /^\[#+-+\] {2}20 % 20 of 100 questions ranked, 40 s left$/);
  assert.equal(stepsLine({ ...steps, done: 100 }), '100 of 100 questions ranked');
});
