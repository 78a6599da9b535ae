import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import {
  cheapest,
  forgetTuning,
  isTuningDue,
  makeProbe,
  readTuning,
  untuned,
  writeTuning,
  type Tuning,
} from '../../../src/store/vector-index/tuning.ts';
import { scratchFolder } from '../forked-host.ts';

const tuning: Tuning = {
  ...untuned(1_000_000),
  nprobes: 61,
  refine: 3,
  recall: 0.984,
  depth: 100,
  queries: 48,
  at: '2026-01-01T00:00:00.000Z',
};

test('the cheapest setting that finds enough is taken: fewer partitions first, then fewer candidates', () => {
  const tried = [
    { nprobes: 31, refine: 16, recall: 0.97 },
    { nprobes: 61, refine: 2, recall: 0.979 },
    { nprobes: 61, refine: 4, recall: 0.99 },
    { nprobes: 61, refine: 3, recall: 0.98 },
    { nprobes: 244, refine: 2, recall: 1 },
  ];
  assert.deepEqual(cheapest(tried), tried[3]);
  assert.equal(cheapest(tried.slice(0, 2)), undefined, 'then every row is compared');
});

test('a search probes as tuned, with a filter all partitions, and never looks at fewer candidates than the tuning did', () => {
  assert.deepEqual(makeProbe(tuning, { limit: 108, isFiltered: false }), { nprobes: 61, candidates: 324 });
  assert.deepEqual(makeProbe(tuning, { limit: 5, isFiltered: false }), { nprobes: 61, candidates: 300 });
  const { nprobes } = makeProbe(tuning, { limit: 108, isFiltered: true });
  assert.ok(nprobes >= 1_000_000 / 4_096, `${nprobes} of 244 partitions`);
});

test('a tuning is due without one, and when the index has doubled since', () => {
  assert.equal(isTuningDue(undefined, 5_000), true);
  assert.equal(isTuningDue(tuning, 2_000_000), false);
  assert.equal(isTuningDue(tuning, 2_000_001), true);
});

test('a tuning is read as it was written; what cannot be read is none', async () => {
  await using folder = await scratchFolder();
  assert.equal(await readTuning(folder.path), undefined);
  await writeTuning(folder.path, tuning);
  assert.deepEqual(await readTuning(folder.path), tuning);
  await forgetTuning(folder.path);
  assert.equal(await readTuning(folder.path), undefined);
  for (const text of ['{"kind": "ivf', '{"kind":"another"}', 'null', '']) {
    await writeFile(path.join(folder.path, 'vector-index.json'), text);
    assert.equal(await readTuning(folder.path), undefined, text);
  }
});
