/** What the stages between parser and writer hold, and how many requests they keep under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import type { BareRow } from '../../src/ingest/chunk-rows.ts';
import { embedBatches } from '../../src/ingest/embed-batches.ts';
import type { EmbedOnce } from '../../src/ingest/embed-once.ts';

const signal = new AbortController().signal;
const row: BareRow = {
  chunk: 'c',
  document: 'd',
  id: 'd',
  title: 't',
  file: '/f',
  hash: 'h',
  ordinal: 0,
  of: 1,
  page: null,
  pageEnd: null,
  start: 0,
  end: 1,
  headings: [],
  text: 'text',
  words: 'text',
  length: 1,
  language: '',
  labels: [],
};

for (const embedders of [1, 3]) {
  test(`${embedders} servers have two requests each, and no more rows are taken than those and as many again`, async () => {
    let taken = 0;
    // A parser that is always faster.
    const rows = (async function* () {
      for (;;) {
        taken += 1;
        yield row;
      }
    })();
    const waiting: (() => void)[] = [];
    let most = 0;
    const embedOnce: EmbedOnce = async (passages) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        most = Math.max(most, waiting.length);
      });
      const embedded = passages.map(() => ({ vector: new Float32Array(1) }));
      return { embedded, sent: passages.length };
    };
    const batches = embedBatches(rows, { embedOnce, embedders }, signal);
    const first = batches.next();
    const settle = async (): Promise<void> => {
      for (let n = 0; n < 2_000; n++) await turn();
    };
    await settle();
    assert.equal(waiting.length, 2 * embedders);
    for (let answered = 0; answered < 10; answered++) {
      waiting.shift()?.();
      await settle();
    }
    assert.equal(most, 2 * embedders);
    const batch = await first;
    assert.equal(batch.done, false);
    assert.equal(batch.value?.rows.length, 64);
    // Nobody asks for the second batch: what waits for it is bounded.
    assert.ok(taken <= (4 * embedders + 2) * 64, `${taken} rows`);
    for (const answer of waiting) answer();
    await batches.return();
  });
}
