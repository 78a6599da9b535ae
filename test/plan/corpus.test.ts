import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpusText, estimateCorpus } from '../../src/plan/corpus.ts';

const sample = { bytes: 1000, chunks: 4, tokens: 400, textBytes: 800, failed: 0, files: 2 };
const given = { vectorBytes: 2048, gpus: 4, tokensPerSecond: null };

test('a corpus is as many times its sample as it has bytes, kind by kind', () => {
  const groups = [
    { extension: '.pdf', files: 100, bytes: 50_000 },
    { extension: '.md', files: 10, bytes: 10_000 },
    { extension: '.odd', files: 1, bytes: 1000 }, // nothing of it was read: as the others
  ];
  const samples = [
    { ...sample, extension: '.pdf', chunks: 1, failed: 1 },
    { ...sample, extension: '.md' },
  ];
  const estimate = estimateCorpus({ ...given, groups, samples });
  assert.deepEqual([estimate.files, estimate.bytes], [111, 61_000]);
  assert.equal(estimate.chunks, Math.round(50 + 40 + 2.5));
  assert.equal(estimate.failed, 50);
  assert.equal(estimate.hours, null);
  assert.match(corpusText(estimate).join('\n'), /known after a first run/);
});

test('hours come from the speed of an earlier run', () => {
  const groups = [{ extension: '.md', files: 10, bytes: 9_000_000 }];
  const samples = [{ ...sample, extension: '.md' }];
  const estimate = estimateCorpus({ ...given, groups, samples, tokensPerSecond: 1000 });
  assert.deepEqual([estimate.hours, estimate.gpu_hours], [1, 4]);
  assert.deepEqual(estimateCorpus({ ...given, groups, samples: [] }).chunks, 0);
});
