import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import { makeEmbedOnce } from '../../src/ingest/embed-once.ts';
import { exportedDocuments } from '../../src/ingest/import/exported-part.ts';
import { reembed } from '../../src/ingest/reembed.ts';
import type { Embed } from '../../src/models/types.ts';
import type { Store } from '../../src/store/types.ts';
import type { IngestReport } from '../../src/work.ts';
import { openForkedStore, scratchFolder } from '../store/forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../store/samples.ts';

const { signal } = new AbortController();
const other = { ...encoder, model: 'other', digest: 'sha256:2', type: 'f32' } as const;

const documents = [
  { key: 'a', texts: ['alpha', 'the same in two'] },
  { key: 'b', texts: ['beta', 'the same in two', 'gamma'] },
];

async function withTexts(
  use: (texts: string, store: Store, old: Store) => Promise<void>,
  held = documents,
): Promise<void> {
  await using scratch = await scratchFolder();
  await using old = await openForkedStore(join(scratch.path, 'old'));
  await old.store.beginWriting(encoder, 'old');
  await old.store.append(held.flatMap(rowsOf));
  const texts = join(scratch.path, 'texts');
  await old.store.exportTo(texts, 'texts only');
  await using fresh = await openForkedStore(join(scratch.path, 'fresh'));
  await fresh.store.beginWriting(other, 'fresh');
  await use(texts, fresh.store, old.store);
}

/** Another model: its vectors are others. */
const embedWith =
  (sent: string[]): Embed =>
  async ({ texts }) => {
    const refused = texts.indexOf('gamma refused');
    if (refused >= 0) throw Object.assign(new RagError('too-long', 'too long'), { index: refused });
    sent.push(...texts);
    return texts.map((text) => vectorOf(`anew ${text}`));
  };

function run(texts: string, store: Store, sent: string[] = []): Promise<IngestReport> {
  const embedOnce = makeEmbedOnce(embedWith(sent), store);
  return reembed(exportedDocuments(texts, signal), 2, { store, embedOnce, embedders: 1, signal });
}

test('every passage keeps its id and gets a new vector, equal texts are sent once, and nothing is sent twice', () =>
  withTexts(async (texts, store, old) => {
    const sent: string[] = [];
    const report = await run(texts, store, sent);
    assert.deepEqual([report.documents.processed, report.chunks, report.embedded], [2, 5, 4]);
    assert.deepEqual(sent.toSorted(), ['alpha', 'beta', 'gamma', 'the same in two']);
    const [[hit] = []] = await store.searchDense([vectorOf('anew gamma')], 1);
    const [[before] = []] = await old.searchDense([vectorOf('gamma')], 1);
    assert.equal(hit?.chunk, before?.chunk);
    assert.ok((hit?.score ?? 0) > 0.999);
    const again = await run(texts, store, sent);
    assert.deepEqual([again.documents.unchanged, again.embedded, sent.length], [2, 0, 4]);
  }));

test('a document whose text the model refuses is set aside whole, and the others come over', () =>
  withTexts(
    async (texts, store) => {
      const report = await run(texts, store);
      assert.deepEqual([report.documents.processed, report.documents.failed], [2, 1]);
      assert.equal(report.failures[0]?.document, 'c');
      assert.equal((await store.inspect()).documents.failed, 1);
    },
    [...documents, { key: 'c', texts: ['delta', 'gamma refused'] }],
  ));

test('what an earlier try brought over and the old index has lost since does not stay', () =>
  withTexts(async (texts, store) => {
    await store.append(rowsOf({ key: 'gone', texts: ['gone'] }));
    assert.equal((await run(texts, store)).removed, 1);
    await store.consolidate();
    assert.equal((await store.inspect()).documents.processed, 2);
  }));
