/** The further encoders of a fusion: an index each, read one after the other, asked together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import { checkFurther, furtherOf, ingestEach, withAllVersions } from '../../../src/job/models/further.ts';
import type { DenseIndex } from '../../../src/job/models/further.ts';
import type { EncoderRecord, Store } from '../../../src/store/types.ts';
import type { IngestReport, IngestRequest } from '../../../src/work.ts';
import { encoder } from '../../store/samples.ts';

const { signal } = new AbortController();
const request: IngestRequest = { inputs: ['corpus'], signal };

const report = (processed: number, unchanged: number, more: Partial<IngestReport> = {}): IngestReport => ({
  documents: { processed, unchanged, failed: more.failures?.length ?? 0, needs_ocr: 0 },
  removed: 0,
  chunks: 2 * processed,
  embedded: 2 * processed,
  failures: [],
  seconds: 1,
  complete: true,
  ...more,
});

test('furtherOf() gives each encoder but the first an index below the first, whatever folder its model is in', () => {
  const settings = { RAG_WORKING_DIR: '/index', RAG_INDEX_VERSION: undefined };
  assert.deepEqual(furtherOf({ ...settings, RAG_RETRIEVER: 'rrf4=/models' }), [
    {
      name: 'contriever',
      id: 'store-contriever',
      folder: '/index/encoders/contriever',
    },
    { name: 'specter', id: 'store-specter', folder: '/index/encoders/specter' },
  ]);
  for (const name of ['ollama', 'bm25', 'rrf2', '/models/e5'])
    assert.deepEqual(furtherOf({ ...settings, RAG_RETRIEVER: name }), []);
});

test('ingestEach() tells of documents the most that one of the indexes had to do', async () => {
  const failure = { document: 'bad', state: 'failed', reason: 'no number' } as const;
  const ingest = ingestEach([
    async () => report(0, 5),
    async () => report(3, 2, { failures: [failure] }),
    async () => report(2, 2, { failures: [failure] }),
  ]);
  assert.deepEqual(await ingest(request), {
    ...report(3, 0),
    documents: { processed: 3, unchanged: 2, failed: 1, needs_ocr: 0 },
    embedded: 10,
    failures: [failure],
    seconds: 3,
  });
});

test('ingestEach() stops where an index was stopped: the next run goes on there', async () => {
  const ingest = ingestEach([
    async () => report(1, 0, { complete: false }),
    () => assert.fail('the second index is not for this run'),
  ]);
  assert.equal((await ingest(request)).complete, false);
});

test('what was found is remembered until one of the indexes changes', async () => {
  let further = 'a';
  const store = { version: async () => '1', inspect: () => assert.fail() } as unknown as Store;
  const all = withAllVersions(store, [{ version: async () => further }]);
  const before = await all.version();
  further = 'b';
  assert.notEqual(await all.version(), before);
  assert.equal(withAllVersions(store, []), store);
});

test('an encoder that has read nothing, or was another one, is not fused', async () => {
  const check = (recorded: EncoderRecord | null, inForce = encoder): Promise<void> => {
    const store = { encoder: async () => recorded } as unknown as Store;
    const index = {
      name: 'contriever',
      folder: '/index/encoders/contriever',
      store,
    } as unknown as DenseIndex;
    return checkFurther(index, async () => inForce, signal);
  };
  await assert.rejects(
    check(null),
    (error: Error) => codeOf(error) === 'no-input' && /contriever/.test(error.message),
  );
  await assert.rejects(check({ ...encoder, digest: 'sha256:2' }), { code: 'index-mismatch' });
  await check({ ...encoder, chunker: 'another' });
});
