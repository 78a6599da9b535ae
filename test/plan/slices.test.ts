import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { makeSlices } from '../../src/plan/slices.ts';

const both = { needsOllama: true, needsReranker: true };
const token = fc.oneof(
  fc.nat(127).map(String),
  fc.uuid().map((id) => `GPU-${id}`),
  fc.uuid().map((id) => `MIG-${id}`),
);
const lists = fc.uniqueArray(token, { maxLength: 16 });

test('makeSlices() cuts the list as given: every token once, in order, none invented', () => {
  fc.assert(
    fc.property(lists, fc.boolean(), fc.boolean(), (gpus, needsOllama, needsReranker) => {
      const { ollama, reranker } = makeSlices(gpus, { needsOllama, needsReranker });
      for (const slice of [ollama, reranker]) assert.ok(slice.every((each) => gpus.includes(each)));
      if (!needsOllama) assert.deepEqual(ollama, []);
      if (!needsReranker) assert.deepEqual(reranker, []);
      if (gpus.length >= 2) {
        const expected = needsOllama ? gpus : gpus.slice(gpus.length - reranker.length);
        assert.deepEqual([...ollama, ...reranker], needsOllama || needsReranker ? expected : []);
      }
    }),
  );
});

test('makeSlices() gives Ollama the first N-1 and the reranker the last', () => {
  assert.deepEqual(makeSlices(['2', '5', 'GPU-a', 'MIG-b'], both), {
    ollama: ['2', '5', 'GPU-a'],
    reranker: ['MIG-b'],
    retriever: [],
    workload: [],
    parser: [],
  });
});

test('makeSlices() shares a single GPU and gives nothing of none', () => {
  assert.deepEqual(makeSlices(['7'], both), {
    ollama: ['7'],
    reranker: ['7'],
    retriever: [],
    workload: [],
    parser: [],
  });
  assert.deepEqual(makeSlices([], both), {
    ollama: [],
    reranker: [],
    retriever: [],
    workload: [],
    parser: [],
  });
});

test('makeSlices() follows counts and the one-line split', () => {
  const four = ['0', '1', '2', '3'];
  assert.deepEqual(makeSlices(four, { ...both, ollamaCount: 2 }).ollama, ['0', '1']);
  assert.deepEqual(makeSlices(four, { ...both, rerankerCount: 2 }), {
    ollama: ['0', '1'],
    reranker: ['2', '3'],
    retriever: [],
    workload: [],
    parser: [],
  });
  const split = makeSlices(['a', 'b', 'c', 'd'], { ...both, split: 'ollama=1-2,reranker=0' });
  assert.deepEqual(split, { ollama: ['b', 'c'], reranker: ['a'], retriever: [], workload: [], parser: [] });
});

test('makeSlices() gives the parser GPUs of its own, and only when the split names it', () => {
  const split = 'ollama=0,parser=1-2,reranker=3';
  assert.deepEqual(makeSlices(['a', 'b', 'c', 'd'], { ...both, split }).parser, ['b', 'c']);
  assert.throws(() => makeSlices(['a', 'b'], { ...both, split: 'ollama=0-1,parser=1' }), /ollama has it/);
});

test('makeSlices() refuses what the job cannot give and says what it has', () => {
  const four = ['0', '1', '2', '3'];
  assert.throws(() => makeSlices(four, { ...both, split: 'ollama=0-2,reranker=4' }), {
    message: 'Cannot give the reranker GPU 4: the job has 4 GPUs (0-3)',
  });
  assert.throws(() => makeSlices(four, { ...both, split: 'ollama=0-2,reranker=2' }), /ollama has it/);
  assert.throws(() => makeSlices(four, { ...both, split: 'gpu=1' }), /no share/);
  assert.throws(() => makeSlices(four, { ...both, ollamaCount: 4, rerankerCount: 1 }), /5 are wanted/);
  assert.throws(() => makeSlices(four, { ...both, ollamaCount: 9 }), /the job has 4 GPUs/);
  assert.throws(() => makeSlices(['0'], { ...both, ollamaCount: 3 }), /the job has 1 GPU/);
});

const encoder = { needsOllama: true, needsReranker: true, needsRetriever: true };
const abcd = ['a', 'b', 'c', 'd'];
const placed = (gpus: readonly string[], wishes: Parameters<typeof makeSlices>[1]): string => {
  const { ollama, reranker, retriever } = makeSlices(gpus, wishes);
  return [ollama, reranker, retriever].map((slice) => slice.join('')).join(' ');
};

test("makeSlices() puts an encoder outside Ollama on the reranker's GPU, else on the last, else on all", () => {
  assert.equal(placed(abcd, encoder), 'abc d d');
  assert.equal(placed(abcd, { ...encoder, rerankerCount: 2 }), 'ab cd cd');
  assert.equal(placed(abcd, { ...encoder, needsReranker: false }), 'abc  d');
  assert.equal(placed(abcd, { ...encoder, needsOllama: false }), ' d d');
  assert.equal(placed(abcd, { ...encoder, needsOllama: false, needsReranker: false }), '  abcd');
  assert.equal(placed(['a'], encoder), 'a a a');
  assert.equal(placed([], encoder), '  ');
});

test('makeSlices() follows RETRIEVER_GPU, and Ollama goes around it where it can', () => {
  assert.equal(placed(abcd, { ...encoder, retrieverGpu: 3 }), 'abc d d');
  assert.equal(placed(abcd, { ...encoder, retrieverGpu: 1 }), 'ac d b');
  assert.equal(placed(abcd, { ...encoder, retrieverGpu: 1, ollamaCount: 3 }), 'abc d b');
  assert.equal(placed(['a', 'b'], { ...encoder, retrieverGpu: 0 }), 'a b a');
  assert.equal(placed(abcd, { ...encoder, retrieverGpu: 'cpu' }), 'abc d ');
  assert.throws(() => placed(abcd, { ...encoder, retrieverGpu: 4 }), {
    message: 'Cannot give the retriever GPU 4: the job has 4 GPUs (0-3)',
  });
});

test("makeSlices() gives the retriever its share of a split, or the reranker's", () => {
  assert.equal(placed(abcd, { ...encoder, split: 'ollama=0-1,reranker=2,retriever=3' }), 'ab c d');
  assert.equal(placed(abcd, { ...encoder, split: 'ollama=0-2,reranker=3' }), 'abc d d');
});

test('makeSlices() gives a workload the first N-1 and the services what it leaves', () => {
  const gpus = ['4', '5', '6', '7'];
  const split = (workload: number | undefined, more = {}) => {
    const {
      workload: train,
      ollama,
      reranker,
    } = makeSlices(gpus, { ...both, ...more, workload: { gpus: workload } });
    return [train.join(''), ollama.join(''), reranker.join('')];
  };
  assert.deepEqual(split(undefined), ['456', '7', '7']);
  assert.deepEqual(split(2), ['45', '6', '7']);
  assert.deepEqual(split(0), ['', '456', '7']);
  assert.deepEqual(split(4), ['4567', '456', '7']); // shared, which the plan warns of
  assert.throws(() => split(5), /Cannot give the workload 5 GPUs: the job has 4 GPUs \(0-3\)/);
  const retriever = { needsOllama: false, needsReranker: false, needsRetriever: true };
  const at = (retrieverGpu: number | 'cpu') =>
    makeSlices(gpus, { ...retriever, retrieverGpu, workload: { gpus: 3 } });
  assert.deepEqual(at(3).retriever, ['7']);
  assert.deepEqual(at('cpu').retriever, []);
  assert.throws(() => at(1), /the workload has the first 3/);
  assert.deepEqual(makeSlices(['0'], { ...both, workload: { gpus: undefined } }).workload, ['0']);
  assert.deepEqual(makeSlices([], { ...both, workload: { gpus: undefined } }).workload, []);
});
