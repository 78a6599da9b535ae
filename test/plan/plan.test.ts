import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeOf } from '../../src/errors.ts';
import { makePlan, type PlanInput } from '../../src/plan/plan.ts';

const base: PlanInput = {
  gpus: ['0', '1', '2', '3'],
  insideJob: true,
  mode: 'serve',
  engine: 'auto',
  hasOllama: true,
  generateModel: 'qwen3:235b',
  embedModel: 'qwen3-embedding:8b',
  reranker: { backend: 'auto', modelPath: undefined, url: undefined },
  allowCpu: false,
};

test('makePlan() gives both Ollama instances the whole Ollama slice and the reranker its own GPU', () => {
  const plan = makePlan(base);
  assert.equal(plan.engine, 'ollama');
  assert.deepEqual(
    plan.instances.map(({ id, gpus }) => [id, gpus.join()]),
    [
      ['ollama-generate', '0,1,2'],
      ['ollama-embed', '0,1,2'],
      ['reranker', '3'],
    ],
  );
});

test('makePlan() gives an ingest job the embedder alone, with every GPU', () => {
  const plan = makePlan({ ...base, mode: 'ingest' });
  assert.deepEqual(
    plan.instances.map(({ id }) => id),
    ['ollama-embed'],
  );
  assert.deepEqual(plan.slices, {
    ollama: ['0', '1', '2', '3'],
    reranker: [],
    retriever: [],
    workload: [],
    parser: [],
  });
});

test('makePlan() leaves generation out when its model is none', () => {
  const ids = makePlan({ ...base, generateModel: 'none' }).instances.map(({ id }) => id);
  assert.deepEqual(ids, ['ollama-embed', 'reranker']);
});

test('makePlan() never puts the embedded engine in place of a missing Ollama inside a job', () => {
  assert.throws(
    () => makePlan({ ...base, hasOllama: false }),
    (error) => codeOf(error) === 'preflight',
  );
  assert.equal(makePlan({ ...base, hasOllama: false, insideJob: false, gpus: null }).engine, 'embedded');
  assert.equal(makePlan({ ...base, hasOllama: false, engine: 'embedded' }).engine, 'embedded');
});

test('makePlan() wants a GPU inside a job unless the CPU is allowed', () => {
  assert.throws(
    () => makePlan({ ...base, gpus: [] }),
    (error) => codeOf(error) === 'preflight',
  );
  assert.match(makePlan({ ...base, gpus: [], allowCpu: true }).warnings.join(), /CPU/);
});

test('makePlan() warns when one GPU is shared', () => {
  assert.match(makePlan({ ...base, gpus: ['GPU-1'] }).warnings.join(), /share the only GPU/);
});

test('makePlan() never leaves Ollama on the CPU by oversight', () => {
  assert.throws(() => makePlan({ ...base, split: 'reranker=3' }), /its split leaves Ollama no GPU/);
  assert.throws(() => makePlan({ ...base, split: 'ollama=2-0,reranker=3' }), /runs backwards/);
  assert.equal(makePlan({ ...base, split: 'reranker=3', allowCpu: true }).slices.ollama.length, 0);
});

test('makePlan() says that the GPU kept for a reranker idles, and gives it to Ollama when asked for all', () => {
  const { warnings, slices } = makePlan(base);
  assert.deepEqual(slices.reranker, ['3']);
  assert.match(warnings.join(), /GPU 3 is kept for a reranker and idles.*OLLAMA_GPUS=4 gives Ollama all/);
  const all = makePlan({ ...base, ollamaCount: 4 });
  assert.deepEqual([all.slices.ollama.length, all.slices.reranker, all.warnings], [4, [], []]);
  const model = { ...base.reranker, modelPath: '/models/reranker' };
  assert.deepEqual(makePlan({ ...base, reranker: model }).warnings, []);
  assert.throws(() => makePlan({ ...base, reranker: model, ollamaCount: 4 }), /5 are wanted/);
  assert.throws(() => makePlan({ ...base, rerankerCount: 1, ollamaCount: 4 }), /5 are wanted/);
  for (const meant of [{ rerankerCount: 1 }, { split: 'ollama=0-2,reranker=3' }])
    assert.deepEqual(makePlan({ ...base, ...meant }).warnings, []);
});

test('makePlan() says when a parser has no GPU, and when a GPU has no parser', () => {
  const split = 'ollama=0-1,reranker=2,parser=3';
  assert.match(makePlan({ ...base, hasParser: true }).warnings.join(), /parser works on the CPU/);
  assert.match(makePlan({ ...base, split }).warnings.join(), /RAG_PARSER names no parser/);
  assert.doesNotMatch(makePlan({ ...base, split, hasParser: true }).warnings.join(), /parser/);
  assert.doesNotMatch(
    makePlan({ ...base, gpus: null, insideJob: false, hasParser: true }).warnings.join(),
    /parser/,
  );
});

test('makePlan() refuses what cannot work', () => {
  assert.throws(() => makePlan({ ...base, split: 'ollama=0-2,workload=3' }), /there is none/);
  assert.throws(() => makePlan({ ...base, services: ['rerank'] }), /leaves out embed/);
});

const medcpt = { embedder: 'sidecar', encoders: ['medcpt'], gpu: undefined } as const;
const instancesOf = (input: PlanInput): string[][] =>
  makePlan(input).instances.map(({ id, model, gpus }) => [id, model, gpus.join()]);

test('makePlan() needs no Ollama where an encoder of its own embeds and nothing generates', () => {
  const input = { ...base, hasOllama: false, retriever: medcpt, services: ['embed', 'rerank'] } as const;
  assert.equal(makePlan(input).engine, 'none');
  assert.deepEqual(instancesOf(input), [
    ['encoder', 'medcpt', '3'],
    ['reranker', 'lexical', '3'],
  ]);
  assert.throws(() => makePlan({ ...input, services: ['embed', 'generate'] }), /no such program/);
});

test('makePlan() starts an encoder on every GPU of an ingest', () => {
  assert.deepEqual(instancesOf({ ...base, mode: 'ingest', retriever: medcpt }), [
    ['encoder-1', 'medcpt', '0'],
    ['encoder-2', 'medcpt', '1'],
    ['encoder-3', 'medcpt', '2'],
    ['encoder-4', 'medcpt', '3'],
  ]);
});

test('makePlan() has one process of several encoders on each GPU', () => {
  const fusion = { ...medcpt, encoders: ['medcpt=/m', 'specter=/m'] };
  assert.deepEqual(instancesOf({ ...base, mode: 'ingest', gpus: ['a', 'b'], retriever: fusion }), [
    ['encoder-1', 'medcpt=/m,specter=/m', 'a'],
    ['encoder-2', 'medcpt=/m,specter=/m', 'b'],
  ]);
});

test('makePlan() has Ollama generate beside an encoder, and not embed', () => {
  const plan = makePlan({ ...base, retriever: medcpt });
  assert.equal(plan.engine, 'ollama');
  assert.deepEqual(
    plan.instances.map(({ id }) => id),
    ['ollama-generate', 'encoder', 'reranker'],
  );
});

test('makePlan() for words alone starts no embedder, and nothing at all where nothing else is needed', () => {
  const words = { ...base, retriever: { embedder: 'none', encoders: [], gpu: undefined } } as const;
  const plan = makePlan({ ...words, mode: 'ingest', gpus: [], hasOllama: false });
  assert.deepEqual([plan.engine, plan.embedder, plan.instances, plan.warnings], ['none', 'none', [], []]);
  assert.deepEqual(
    makePlan(words).instances.map(({ id }) => id),
    ['ollama-generate', 'reranker'],
  );
});

test('makePlan() never leaves an encoder on the CPU by oversight, and says when RETRIEVER_GPU does nothing', () => {
  const ingest = { ...base, mode: 'ingest', gpus: [], retriever: medcpt } as const;
  assert.throws(() => makePlan(ingest), /no GPU/);
  assert.deepEqual(instancesOf({ ...ingest, retriever: { ...medcpt, gpu: 'cpu' } }), [
    ['encoder', 'medcpt', ''],
  ]);
  const idle = { embedder: 'ollama', encoders: [], gpu: 2 } as const;
  assert.match(makePlan({ ...base, retriever: idle }).warnings.join(), /RETRIEVER_GPU is not used/);
});
