import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSentBook, makeSentTo, type Sent, type SentTo } from '../../../src/serve/gateway/sent.ts';

/** A server that works on so many at once, and those who wait at it, as they come. */
function serve(to: SentTo, atOnce: number) {
  const queue: Sent[] = [];
  const writing: Sent[] = [];
  const begin = (): void => {
    while (writing.length < atOnce && queue.length > 0) {
      const next = queue.shift();
      if (next === undefined) return;
      next.begins();
      writing.push(next);
    }
  };
  return {
    /** As many more as it is given. */
    fill: (wanted: number): number => {
      let given = 0;
      for (; given < wanted && to.hasRoom(); given += 1) {
        queue.push(to.send());
        begin();
      }
      return given;
    },
    finishOne: (): void => {
      writing.shift()?.[Symbol.dispose]();
      begin();
    },
  };
}

test('a server that works on all at once is given all that it may have', () => {
  const to = makeSentTo(64);
  const server = serve(to, 64);
  assert.equal(server.fill(100), 64);
  for (let n = 0; n < 30; n += 1) server.finishOne();
  assert.equal(server.fill(100), 30);
  assert.equal(to.width(), 64);
});

test('a server that works on one at a time is given two, once that is seen', () => {
  const to = makeSentTo(64);
  const server = serve(to, 1);
  assert.equal(server.fill(10), 10);
  server.finishOne();
  assert.equal(to.width(), 64, 'the first began before the others came');
  server.finishOne();
  assert.equal(to.width(), 2);
  for (let n = 0; n < 7; n += 1) server.finishOne();
  assert.deepEqual([to.underWay(), server.fill(10)], [1, 1]);
});

test('of another job nothing is learnt: how many servers are behind its address is known there', () => {
  const to = makeSentBook({ generate: 64, embed: 64 }, false).to('generate', 'http://node17:4000');
  const server = serve(to, 1);
  server.fill(10);
  for (let n = 0; n < 10; n += 1) server.finishOne();
  assert.equal(to.width(), 64);
});

test('of answers that come all at once, at their end, nothing is learnt', () => {
  const to = makeSentTo(64, false);
  const server = serve(to, 1);
  server.fill(10);
  for (let n = 0; n < 10; n += 1) server.finishOne();
  assert.equal(to.width(), 64);
});

test('one that works on four at once is given five', () => {
  const to = makeSentTo(64);
  const server = serve(to, 4);
  server.fill(20);
  for (let n = 0; n < 20; n += 1) server.finishOne();
  server.fill(20);
  assert.ok(to.width() >= 5 && to.width() <= 8, String(to.width()));
});

test('one that was taken for slower than it is gets more, as soon as it shows', () => {
  const to = makeSentTo(64);
  const [long, short] = [to.send(), to.send()];
  short.begins();
  short[Symbol.dispose]();
  assert.equal(to.width(), 2, 'a long prompt was passed over');
  long.begins();
  const server = serve(to, 64);
  for (let round = 0; round < 6; round += 1) server.fill(100);
  assert.equal(to.width(), 64);
});

test('a request that comes while an answer is being written is not passed over by it', () => {
  const to = makeSentTo(64);
  const first = to.send();
  first.begins();
  to.send();
  first[Symbol.dispose]();
  assert.equal(to.width(), 64);
});
