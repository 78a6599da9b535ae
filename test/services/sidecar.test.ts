import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { endOf, openBench, restarted, soon, type Bench } from './serving.ts';
import { fakeSidecar, recordOf, rerankBy } from './sidecar-bench.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const ask = { query: 'blue whale', passages: ['a blue whale', 'blue', 'trains'] };
const scores = [1, 0.5, 0];

test('a Python child is ready once it has scored, sees its own GPU alone and no hub, and scores', async () => {
  await using bench = await openBench();
  const { spec, told } = fakeSidecar(bench, '', { batchSize: 16 });
  const rerank = await rerankBy(bench.start(spec));
  assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
  assert.partialDeepStrictEqual(told.ready, [
    { device: 'cuda:0', device_name: 'Fake GPU GPU-c', dtype: 'float16', rerank: { model: bench.dir } },
  ]);
  const [start] = await recordOf(bench);
  assert.deepEqual(start?.words, ['--rerank', bench.dir, '--fp16', '1', '--batch-size', '16']);
  assert.deepEqual(start?.env, { CUDA_VISIBLE_DEVICES: 'GPU-c', OMP_NUM_THREADS: '4', HF_HUB_OFFLINE: '1' });
});

test('a Python child tells of its work beside each ping', async () => {
  await using bench = await openBench();
  const { spec, told } = fakeSidecar(bench);
  const liveness = spec.liveness ?? assert.fail();
  const tree = bench.start({ ...spec, liveness: { ...liveness, periodMs: 20 } });
  const rerank = await rerankBy(tree);
  await rerank({ ...ask, signal: soon() });
  await until(() => told.stats.some(({ pairs }) => pairs > 2), 'statistics of the request');
  assert.partialDeepStrictEqual(told.stats.at(-1), { memory_bytes: 2 ** 30, pairs_per_s: 250.5 });
});

test('what Python prints before it is ready does no harm', async () => {
  await using bench = await openBench();
  const tree = bench.start(fakeSidecar(bench, 'prints').spec);
  const rerank = await rerankBy(tree);
  assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
  assert.equal(tree.statuses()[0]?.restarts, 0);
});

for (const [what, faults, message] of [
  ['tells of a fault of the settings', 'fatal', /there is no torch/],
  ['ends with 78 without a word', 'exit-78', /ended with code 78/],
  ['runs on the CPU though it was given a GPU', 'on-cpu', /PyTorch runs on the CPU, GPU GPU-c is wanted/],
] as const) {
  test(`a Python child that ${what} is never started again`, async () => {
    await using bench = await openBench();
    const tree = bench.start({ ...fakeSidecar(bench, faults).spec, significant: true });
    const error = await endOf(tree);
    assert.equal(error.code, 'preflight');
    assert.match(error.message, message);
    assert.equal((await recordOf(bench)).length, 1);
  });
}

test('a Python child that dies at each start is given up on its budget', async () => {
  await using bench = await openBench();
  const tree = bench.start({ ...fakeSidecar(bench, 'dies').spec, significant: true });
  assert.equal((await endOf(tree)).code, 'service-failed');
  assert.equal((await recordOf(bench)).length, 3);
});

test('a Python child on the CPU is good where the CPU is allowed', async () => {
  await using bench = await openBench();
  const { spec, told } = fakeSidecar(bench, '', { gpus: [], allowCpu: true });
  await rerankBy(bench.start(spec));
  assert.equal(told.ready[0]?.device, 'cpu');
  assert.partialDeepStrictEqual(await recordOf(bench), [
    { env: { CUDA_VISIBLE_DEVICES: '-1', OMP_NUM_THREADS: '16' } },
  ]);
});

test('a slow start is waited for', async () => {
  await using bench = await openBench();
  const rerank = await rerankBy(bench.start(fakeSidecar(bench, 'slow-ready=0.5').spec));
  assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
});

test('a child that is never ready is started again', async () => {
  await using bench = await openBench();
  const { spec } = fakeSidecar(bench, 'never-ready');
  const hasty = {
    ...spec,
    readiness: { ...spec.readiness, progress: () => 0, timeoutMs: 300 },
    significant: true,
  };
  const error = await endOf(bench.start(hasty));
  assert.match(error.message, /was not ready after 0\.\d s: it has not said that it is ready/);
});

/** The same child goes on: nothing was wrong with it. */
for (const [what, word, code] of [
  ['runs out of memory', '[out of memory]', 'model-refused'],
  ['finds a request bad', '[bad request]', 'model-refused'],
  ['gives too few scores', '[too few]', 'model-unavailable'],
  ['gives a score over 1', '[too high]', 'model-unavailable'],
] as const) {
  test(`a Python child that ${what} fails the request and lives on`, async () => {
    await using bench = await openBench();
    const tree = bench.start(fakeSidecar(bench).spec);
    const rerank = await rerankBy(tree);
    await assert.rejects(rerank({ ...ask, query: `blue ${word}`, signal: soon() }), { code });
    assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
    assert.equal(tree.statuses()[0]?.restarts, 0);
  });
}

/** The next child answers. */
for (const [what, word, reason] of [
  ['crashes', '[crash]', /exited with code 1/],
  ['hangs in a request', '[hang]', /reranker did not answer a request within 0.3 s/],
  ['writes what is no frame', '[garbage]', /wrote what is no frame/],
  ['gives NaN, which JSON has not', '[nan]', /wrote what is no frame/],
  ['writes a line without end', '[huge]', /wrote what is no frame/],
] as const) {
  test(`a Python child that ${what} is started again, and the request in its hands fails`, async () => {
    await using bench = await openBench();
    const tree = bench.start(fakeSidecar(bench).spec);
    const rerank = await rerankBy(tree, ['reranker'], word === '[hang]' ? 300 : 60_000);
    await assert.rejects(rerank({ ...ask, query: `blue ${word}`, signal: soon() }), {
      code: 'model-unavailable',
    });
    await restarted(tree, 'reranker', 1);
    assert.match(tree.statuses()[0]?.reason ?? '', reason);
    assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
  });
}

const two = (bench: Bench, faults = ''): ReturnType<Bench['start']> =>
  bench.start(
    fakeSidecar(bench, '', { id: 'reranker-1', gpus: ['0'] }).spec,
    fakeSidecar(bench, faults, { id: 'reranker-2', gpus: ['1'] }).spec,
  );
const ids = ['reranker-1', 'reranker-2'];

test('two children share a list and give the scores of one', async () => {
  await using bench = await openBench();
  const tree = two(bench);
  const passages = Array.from({ length: 40 }, (_, at) => ['blue', 'whale', 'blue whale', 'x'][at % 4] ?? '');
  const rerank = await rerankBy(tree, ids);
  const both = await rerank({ query: 'blue whale', passages, signal: soon() });
  const one = await rerankBy(tree, ids.slice(0, 1));
  assert.deepEqual(both, await one({ query: 'blue whale', passages, signal: soon() }));
});

test('what one of two children had in its hands when it crashed is answered by the other', async () => {
  await using bench = await openBench();
  const tree = two(bench, `crash-once=${path.join(bench.dir, 'crashed')}`);
  const rerank = await rerankBy(tree, ids);
  assert.deepEqual(await rerank({ ...ask, signal: soon() }), scores);
  await restarted(tree, 'reranker-2', 1);
});
