import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultPieces } from '../../src/serve/result-json.ts';

const lists = Array.from({ length: 6 }, (_, at) => [at, at + 1]);
/** As long as a hundred hits take. */
const show = (item: number): object => {
  for (const until = performance.now() + 6; performance.now() < until;);
  return { item };
};

test('others get their turn between the lists of a long answer', async () => {
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  const pieces = await resultPieces(lists, show, new AbortController().signal);
  clearInterval(counting);
  assert.ok(turns >= 4, `${turns} turns`);
  assert.deepEqual(JSON.parse(Buffer.concat(pieces).toString()), {
    result: lists.map((list) => list.map((item) => ({ item }))),
  });
  assert.equal(
    Buffer.concat(await resultPieces([], show, new AbortController().signal)).toString(),
    '{"result":[]}',
  );
});

test('nothing more is written for a client that has gone', async () => {
  const gone = new AbortController();
  let shown = 0;
  const counted = (item: number): object => {
    shown += 1;
    gone.abort();
    return show(item);
  };
  await assert.rejects(resultPieces(lists, counted, gone.signal), { code: 'aborted' });
  assert.equal(shown, 2);
});
