/** The store host dies at any moment of an ingest, also between a commit and its answer: nothing is embedded twice. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openParserPool } from '../../src/documents/pool.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { noStamps } from '../../src/ingest/stamps.ts';
import type { Embed } from '../../src/models/types.ts';
import type { ChunkRow, Store, Version } from '../../src/store/types.ts';
import { openForkedStore, type ForkedStore } from '../store/forked-host.ts';
import { encoder, vectorOf } from '../store/samples.ts';

const chunker = { targetTokens: 32, overlapTokens: 0 };
const { signal } = new AbortController();
const documents = 200;
const chunksEach = 4;
const rowsPerCommit = 25;

/** Commits a few rows at a time, so that a small corpus meets many commits, and tells of each that is acknowledged. */
const inSmallCommits = (store: Store, acknowledged: () => void): Store => ({
  ...store,
  append: async (rows: readonly ChunkRow[]) => {
    const unfinished: Version[] = [];
    for (let at = 0; at < rows.length; at += rowsPerCommit) {
      unfinished.push(...(await store.append(rows.slice(at, at + rowsPerCommit))));
      acknowledged();
    }
    return unfinished;
  },
});

/** Kills the host again and again, each time after an acknowledgement and at another moment behind it. */
function startKilling(forked: ForkedStore) {
  const state = { kills: 0, done: false };
  let next = Promise.withResolvers<void>();
  const killing = (async () => {
    for (;;) {
      await next.promise;
      if (state.done) return;
      next = Promise.withResolvers<void>();
      await pause((state.kills * 7) % 40);
      await forked.kill();
      state.kills += 1;
    }
  })();
  return {
    acknowledged: () => next.resolve(),
    end: async () => {
      state.done = true;
      next.resolve();
      await killing;
      return state.kills;
    },
  };
}

test('kill -9 of the store host at many points of an ingest: every text is sent once, every document is there once', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lost-answers-'));
  const corpus = join(folder.path, 'in');
  mkdirSync(corpus);
  const sentence = (n: number, part: number): string =>
    `Of ${n} it says ${part} times that all is well here. `;
  for (let n = 0; n < documents; n++) {
    const paragraphs = Array.from({ length: chunksEach }, (_, part) => sentence(n, part).repeat(2).trim());
    writeFileSync(join(corpus, `${n}.txt`), paragraphs.join('\n\n'));
  }
  await using parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e6, timeoutMsPerFile: 30_000 });
  await using forked = await openForkedStore(join(folder.path, 'index'));
  await forked.store.beginWriting(encoder, 'run');
  const sent: string[] = [];
  const embed: Embed = async ({ texts }) => {
    sent.push(...texts);
    return texts.map((text) => vectorOf(text));
  };

  const killing = startKilling(forked);
  const store = inSmallCommits(forked.store, killing.acknowledged);
  const report = await ingest(
    { inputs: [corpus], signal },
    { store, parser, embed, chunker, stamps: noStamps },
  );
  const kills = await killing.end();

  assert.ok(kills >= 5, `${kills} kills`);
  assert.deepEqual([report.documents.processed, report.documents.failed], [documents, 0]);
  assert.equal(new Set(sent).size, sent.length);
  assert.equal(report.embedded, sent.length);
  for (const state of ['in shards', 'merged']) {
    const { problems, ...counts } = await forked.store.verify();
    assert.deepEqual(problems, [], state);
    assert.deepEqual([counts.documents, counts.chunks, counts.pending], [documents, report.chunks, 0], state);
    await forked.store.consolidate();
  }
});
