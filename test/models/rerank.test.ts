import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRerank } from '../../src/models/rerank.ts';
import { makeChannel, sidecarsOf, type FakeChannel } from './sidecar-children.ts';

const { signal } = new AbortController();
const passages = ['one', 'two'];

/** The score of a passage is its length, and nothing else. */
const byLength = (): FakeChannel =>
  makeChannel(({ id, passages: some }) => ({ id, scores: some.map(({ length }) => length / 100) }));

test('rerank() sends one frame to one child and reads the scores in the order of the passages', async () => {
  const channel = byLength();
  const rerank = makeRerank(sidecarsOf([channel]));
  const lists = [passages, ['a', 'bbb', 'cc']].map((list) => rerank({ query: 'q', passages: list, signal }));
  assert.deepEqual(await Promise.all(lists), [
    [0.03, 0.03],
    [0.01, 0.03, 0.02],
  ]);
  assert.deepEqual(channel.sent[0], { id: 1, op: 'rerank', query: 'q', passages });
});

test('rerank() over three children gives the scores of one, and each about the same work', async () => {
  const list = Array.from({ length: 90 }, (_, at) => 'x'.repeat((at * 37) % 90));
  const channels = [byLength(), byLength(), byLength()];
  const scores = await makeRerank(sidecarsOf(channels))({ query: 'q', passages: list, signal });
  assert.deepEqual(
    scores,
    list.map(({ length }) => length / 100),
  );
  const characters = channels.map(({ sent }) => sent.flatMap((frame) => frame.passages).join('').length);
  assert.ok(Math.max(...characters) - Math.min(...characters) <= 2, String(characters));
});

test('rerank() of no passages asks nobody', async () => {
  assert.deepEqual(await makeRerank(sidecarsOf([]))({ query: 'q', passages: [], signal }), []);
});

for (const [what, reply] of [
  ['too few scores', { scores: [1] }],
  ['a score that is not a number', { scores: [1, null] }],
  ['a score over 1', { scores: [1, 1.5] }],
  ['no scores', {}],
] as const) {
  test(`rerank() refuses ${what}`, async () => {
    const rerank = makeRerank(sidecarsOf([makeChannel(({ id }) => ({ id, ...reply }))]));
    await assert.rejects(rerank({ query: 'q', passages, signal }), { code: 'model-unavailable' });
  });
}

test('rerank() fails as a whole when one of its children does: scores of a part order nothing', async () => {
  const failing = makeChannel(({ id }) => ({ id, error: { code: 'failed', message: 'no' } }));
  const rerank = makeRerank(sidecarsOf([byLength(), failing]));
  await assert.rejects(rerank({ query: 'q', passages, signal }), { code: 'model-unavailable' });
});
