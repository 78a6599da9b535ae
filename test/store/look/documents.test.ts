/** The documents of an index as a list, page by page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentsQuery, FailureRow, Store, StoredEntry } from '../../../src/store/types.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, type SampleDocument } from '../samples.ts';

const document = (key: string, edition = 'a', chunks = 2): SampleDocument => ({
  key,
  edition,
  texts: Array.from({ length: chunks }, (_, at) => `common ${key} ${edition} ${at}`),
});
const failure = (key: string, state: FailureRow['state'] = 'failed'): FailureRow => ({
  document: key,
  hash: '',
  file: `/corpus/${key}`,
  state,
  reason: `${key} is damaged`,
});
const append = async (store: Store, ...documents: SampleDocument[]): Promise<void> => {
  await store.append(documents.flatMap((each) => rowsOf(each)));
};

/** Page after page. */
async function all(store: Store, query: Partial<DocumentsQuery> & { limit: number }): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for (;;) {
    const page = await store.documents({ ...query, after: found.at(-1)?.document });
    found.push(...page);
    if (page.length < query.limit) return found;
  }
}
const shown = (entries: readonly StoredEntry[]): string[] =>
  entries.map((entry) => `${entry.document} ${entry.state} ${entry.chunks}`);

test('documents of main, of shards, replaced, failed and removed are listed once each, in order, with their newest state', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'one');
  await append(
    store,
    document('main'),
    document('replaced'),
    document('mended'),
    document('gone'),
    document('\u{1F600}'),
  );
  await store.recordFailures([failure('bad'), failure('gone bad'), failure('scan', 'needs_ocr')]);
  await store.consolidate();
  await store.recordFailures([failure('mended'), failure('replaced')]);
  await append(store, document('\uFFFDshard', 'a', 3), document('mended', 'b', 1));
  await store.remove(['gone', 'gone bad']);
  const expected = [
    'bad failed 0',
    'main processed 2',
    'mended processed 1',
    'replaced failed 2',
    'scan needs_ocr 0',
    '\u{1F600} processed 2',
    '\uFFFDshard processed 3',
  ];
  for (const limit of [2, 100]) assert.deepEqual(shown(await all(store, { limit })), expected);
  await store.consolidate();
  for (const limit of [3, 100]) assert.deepEqual(shown(await all(store, { limit })), expected);
  const failed = await all(store, { limit: 1, states: ['failed'] });
  assert.deepEqual(
    failed.map(({ document: key, reason }) => [key, reason]),
    [
      ['bad', 'bad is damaged'],
      ['replaced', 'replaced is damaged'],
    ],
  );
  const [named] = await store.documents({ limit: 5, keys: ['mended', 'never'] });
  const [row] = rowsOf(document('mended', 'b', 1));
  assert.deepEqual([named?.title, named?.hash], [row?.title, row?.hash]);
  assert.ok(Math.abs((named?.version ?? 0) - Date.now()) < 60_000);
});

test('where there is no index there are no documents, and none is made', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  assert.deepEqual(await forked.store.documents({ limit: 10 }), []);
});
