import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeOf } from '../../src/errors.ts';
import { makePlan, type PlanInput } from '../../src/plan/plan.ts';
import { chooseReranker, rerankerWarnings, type RerankerWishes } from '../../src/plan/reranker.ts';

const wishes = (given: Partial<RerankerWishes> = {}): RerankerWishes => ({
  backend: 'auto',
  modelPath: undefined,
  url: undefined,
  ...given,
});
const [modelPath, url] = ['/models/bge', 'http://127.0.0.1:8080'];

const planOf = (reranker: RerankerWishes, more: Partial<PlanInput> = {}) =>
  makePlan({
    gpus: ['0', '1', '2', '3'],
    insideJob: true,
    mode: 'serve',
    engine: 'auto',
    hasOllama: true,
    generateModel: 'qwen3:8b',
    embedModel: 'qwen3-embedding:8b',
    allowCpu: false,
    reranker,
    ...more,
  });

const rerankersOf = (plan: ReturnType<typeof planOf>) =>
  plan.instances
    .filter(({ role }) => role === 'rerank')
    .map(({ id, model, gpus }) => [id, model, gpus.join()]);

test('chooseReranker() takes the model folder, else the server, else no model', () => {
  assert.equal(chooseReranker(wishes()), 'lexical');
  assert.equal(chooseReranker(wishes({ url })), 'http');
  assert.equal(chooseReranker(wishes({ url, modelPath })), 'sidecar');
  assert.equal(chooseReranker(wishes({ url, modelPath, backend: 'http' })), 'http');
  assert.equal(chooseReranker(wishes({ modelPath, backend: 'none' })), 'none');
});

test('chooseReranker() refuses a backend without what it needs', () => {
  for (const backend of ['sidecar', 'http'] as const)
    assert.throws(() => chooseReranker(wishes({ backend })), { code: 'settings' });
});

test('rerankerWarnings() names what was given and does nothing', () => {
  const both = wishes({ url, modelPath });
  assert.deepEqual(rerankerWarnings(both, 'sidecar'), ['RERANKER_URL is not used: the reranker is sidecar.']);
  assert.equal(rerankerWarnings(both, 'lexical').length, 2);
  assert.deepEqual(rerankerWarnings(wishes({ url }), 'http'), []);
});

test('a model folder gets the last GPU, and a process for each GPU where it has several', () => {
  assert.deepEqual(rerankersOf(planOf(wishes({ modelPath }))), [['reranker', modelPath, '3']]);
  const two = planOf(wishes({ modelPath }), { rerankerCount: 2 });
  assert.deepEqual(two.slices.ollama, ['0', '1']);
  assert.deepEqual(rerankersOf(two), [
    ['reranker-1', modelPath, '2'],
    ['reranker-2', modelPath, '3'],
  ]);
});

test('a server that runs elsewhere takes no GPU of the job', () => {
  const plan = planOf(wishes({ url }));
  assert.equal(plan.reranker, 'http');
  assert.deepEqual(rerankersOf(plan), []);
  assert.deepEqual(plan.slices.ollama, ['0', '1', '2', '3']);
});

test('the reranker without a model keeps its slice reserved', () => {
  assert.deepEqual(rerankersOf(planOf(wishes())), [['reranker', 'lexical', '3']]);
});

test('a job without a reranker plans none, whatever the settings are', () => {
  const plan = planOf(wishes({ modelPath }), { mode: 'ingest' });
  assert.deepEqual([plan.reranker, plan.warnings], ['none', []]);
});

test('a model folder inside a job wants a GPU unless the CPU is allowed', () => {
  const split = { split: 'ollama=0-3' };
  assert.throws(
    () => planOf(wishes({ modelPath }), split),
    (error: Error) => codeOf(error) === 'preflight' && /leaves the reranker no GPU/u.test(error.message),
  );
  assert.deepEqual(rerankersOf(planOf(wishes({ modelPath }), { ...split, allowCpu: true })), [
    ['reranker', modelPath, ''],
  ]);
  const laptop = { gpus: null, insideJob: false, hasOllama: false };
  assert.deepEqual(rerankersOf(planOf(wishes({ modelPath }), laptop)), [['reranker', modelPath, '']]);
});
