import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RagError } from '../../../src/errors.ts';
import { untilServing } from '../../../src/job/life/until-serving.ts';
import type { ChildStatus } from '../../../src/supervise/spec.ts';

const { signal } = new AbortController();
const plan = {
  instances: [
    { id: 'ollama-embed', role: 'embed', model: 'm', gpus: [] },
    { id: 'reranker', role: 'rerank', model: '/models/bge', gpus: [] },
  ],
} as const;

/** A tree of which these children have failed, and the others are ready. */
function treeWith(failures: Readonly<Record<string, Error>>): Parameters<typeof untilServing>[0] {
  const statusOf = (id: string): ChildStatus => ({
    id,
    current: { state: 'ready', pid: 1, since: 0 },
    restarts: 0,
    reason: null,
  });
  return {
    statuses: () => ['ollama-embed', 'reranker', 'store'].map(statusOf),
    untilReady: async (ids) => {
      const failed = ids.map((id) => failures[id]).find((error) => error !== undefined);
      if (failed !== undefined) throw failed;
    },
  };
}

const spent = new RagError('service-failed', 'Cannot keep reranker running');
const noTorch = new RagError('preflight', 'Cannot run a model: there is no torch');

test('a reranker that was given up is not waited for', async () => {
  await untilServing(treeWith({ reranker: spent }), plan, signal);
});

test('a reranker whose settings are wrong ends the wait', async () => {
  await assert.rejects(untilServing(treeWith({ reranker: noTorch }), plan, signal), noTorch);
});

test('any other service that was given up ends the wait', async () => {
  await assert.rejects(untilServing(treeWith({ store: spent }), plan, signal), spent);
  await assert.rejects(untilServing(treeWith({ 'ollama-embed': spent }), plan, signal), spent);
});

test('a wait that is cancelled ends', async () => {
  const cancelled = new RagError('aborted', 'Cannot wait');
  await assert.rejects(untilServing(treeWith({ reranker: cancelled }), plan, AbortSignal.abort()), cancelled);
});

test('of two layouts only the services of the one that is wanted are waited for', async () => {
  const two = {
    instances: [
      { id: 'ollama-embed', role: 'embed', model: 'm', gpus: [], layout: 'ingest' },
      { id: 'reranker', role: 'rerank', model: '/models/bge', gpus: [] },
    ],
  } as const;
  const tree = treeWith({ 'ollama-embed': spent });
  await untilServing(tree, two, signal, 'answering');
  await assert.rejects(untilServing(tree, two, signal, 'ingest'), spent);
});
