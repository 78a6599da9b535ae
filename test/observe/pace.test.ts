import assert from 'node:assert/strict';
import { test } from 'node:test';

import { durationText, etaSeconds, lateText } from '../../src/observe/pace.ts';
import { progressLine } from '../../src/observe/progress.ts';

const progress = {
  documentsDone: 250,
  documentsTotal: 1000,
  chunks: 2100,
  embedded: 2000,
  tokens: 900_000,
  failed: 3,
};

test('a line says how far, how fast and how long', () => {
  assert.equal(
    progressLine(progress, 20),
    '250 of 1,000 documents (25 %), 2,100 chunks, 3 failed; 12.5 documents/s, 100 chunks/s, about 45,000 tokens/s; 60 s left',
  );
  assert.equal(
    progressLine({ ...progress, documentsTotal: null }, 20),
    '250 documents, 2,100 chunks, 3 failed; 12.5 documents/s, 100 chunks/s, about 45,000 tokens/s',
  );
  assert.match(progressLine(progress, 20, 12_000), /; 60 s left, the job has 3 h 20 min$/);
  assert.match(progressLine({ ...progress, documentsTotal: null }, 20, 50), /; the job has 50 s$/);
});

test('nothing is said of the end before there is anything to judge by', () => {
  assert.equal(etaSeconds({ documentsDone: 0, documentsTotal: 10 }, 5), null);
  assert.equal(etaSeconds({ documentsDone: 5, documentsTotal: null }, 5), null);
  assert.equal(etaSeconds({ documentsDone: 10, documentsTotal: 10 }, 5), 0);
});

test('durations are as people say them', () => {
  assert.deepEqual([12.2, 89, 91, 5340, 12_000].map(durationText), [
    '12 s',
    '89 s',
    '2 min',
    '89 min',
    '3 h 20 min',
  ]);
});

test('an ingest that will not end before the job is told of, and only then', () => {
  assert.match(
    lateText(progress, 100, 200) ?? '',
    /needs about 5 min more and the job ends in 3 min.*submit it again/,
  );
  assert.equal(lateText(progress, 100, 300), undefined);
  assert.equal(lateText(progress, 100, null), undefined);
  assert.equal(lateText(progress, 30, 10), undefined);
  assert.equal(lateText({ ...progress, documentsTotal: null }, 100, 10), undefined);
});
