import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeRerank } from '../../src/models/rerank.ts';
import { makeSidecars } from '../../src/models/sidecar.ts';
import type { Rerank } from '../../src/models/types.ts';
import { readyChildren } from '../../src/job/services/ready-children.ts';
import { lexicalScores } from '../../src/services/lexical-scores.ts';
import { lexicalRerankerSpec } from '../../src/services/reranker.ts';
import type { ChildSpec, Tree } from '../../src/supervise/spec.ts';
import { watchLeaks } from '../leaks.ts';
import { openBench, restarted, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const query = 'What do blue whales eat?';
const passages = ['Trains leave at ten.', 'Blue whales eat krill.', 'A whale is blue.'];

const specIn = (dir: string): ChildSpec =>
  lexicalRerankerSpec({
    id: 'reranker',
    gpus: ['GPU-c'],
    baseEnv: { PATH: process.env['PATH'] ?? '', CUDA_VISIBLE_DEVICES: '0,1,2' },
    graceMs: 5000,
    cwd: dir,
    logFile: path.join(dir, 'reranker.log'),
    supervisorId: 'test.1',
  });

const rerankBy = async (tree: Tree): Promise<Rerank> => {
  await tree.untilReady(['reranker'], soon());
  return makeRerank(makeSidecars(readyChildren(tree, ['reranker'])));
};

test('lexicalScores() orders by shared words, weighs rare ones more and stays in 0-1', () => {
  const scores = lexicalScores(query, passages);
  assert.equal(scores[0], 0);
  assert.ok((scores[1] ?? 0) > (scores[2] ?? 0) && (scores[2] ?? 0) > 0, String(scores));
  assert.ok(scores.every((score) => score >= 0 && score <= 1));
  const [rare = 0, frequent = 0] = lexicalScores('alpha beta', ['alpha x', 'beta y', 'beta z', 'beta w']);
  assert.ok(rare > frequent);
});

test('lexicalScores() of a query without a word, and of no passages', () => {
  assert.deepEqual(lexicalScores('the?', passages), [0, 0, 0]);
  assert.deepEqual(lexicalScores(query, []), []);
});

test('the reranker is ready when it says so, sees its own slice of the GPUs and scores', async () => {
  await using bench = await openBench();
  const first = Promise.withResolvers<unknown>();
  const spec = specIn(bench.dir);
  const { readiness } = spec;
  const tree = bench.start({
    ...spec,
    readiness: {
      ...readiness,
      probe: (running, signal) => {
        running.channel?.onMessage(first.resolve);
        return readiness.probe(running, signal);
      },
    },
  });
  const rerank = await rerankBy(tree);
  const scores = await rerank({ query, passages, signal: soon() });
  assert.deepEqual(scores, lexicalScores(query, passages));
  assert.deepEqual(await first.promise, { ready: true, kind: 'lexical', devices: 'GPU-c' });
});

test('the reranker answers nonsense with an error and lives on', async () => {
  await using bench = await openBench();
  const tree = bench.start(specIn(bench.dir));
  const rerank = await rerankBy(tree);
  const channel = tree.running('reranker')?.channel ?? assert.fail();
  const reply = new Promise((resolve) => {
    const remove = channel.onMessage((message) => {
      remove();
      resolve(message);
    });
  });
  channel.send({ id: -7, op: 'dance' });
  assert.partialDeepStrictEqual(await reply, { id: -7, error: { code: 'bad-request' } });
  assert.equal((await rerank({ query, passages, signal: soon() })).length, 3);
});

test('a request that was on its way when the reranker was killed fails at once, and the next is answered', async () => {
  await using bench = await openBench();
  const tree = bench.start(specIn(bench.dir));
  const rerank = await rerankBy(tree);
  const pid = tree.running('reranker')?.pid ?? 0;
  // Stopped, so that it cannot answer before it is killed.
  process.kill(pid, 'SIGSTOP');
  const scores = rerank({ query, passages, signal: soon() });
  setImmediate(() => process.kill(pid, 'SIGKILL'));
  await assert.rejects(scores, { code: 'model-unavailable' });
  await restarted(tree, 'reranker', 1);
  assert.deepEqual(await rerank({ query, passages, signal: soon() }), lexicalScores(query, passages));
});
