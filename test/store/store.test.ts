import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Store } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from './forked-host.ts';
import { encoder, hashOf, rowsOf, vectorOf, type SampleDocument } from './samples.ts';
import { denseHits, textHits } from './hits.ts';

const lace: SampleDocument = {
  key: 'lace.pdf',
  title: 'Lace plants',
  texts: ['Mitochondria in leaves', 'Running water'],
};
const zebra: SampleDocument = { key: "it's/zebra \\ 斑马.txt", texts: ['Zebras have stripes'] };

const documentsFor = async (store: Store, text: string, k = 10): Promise<string[]> =>
  ((await textHits(store, [text], k))[0] ?? []).map(({ document }) => document);

test('what was appended is known, found whole and counted', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append([...rowsOf(lace), ...rowsOf(zebra)]);

  const known = await store.known([lace.key, zebra.key, 'none']);
  assert.deepEqual(known.get(lace.key), { done: hashOf(lace), committed: [] });
  assert.deepEqual(known.get(zebra.key), { done: hashOf(zebra), committed: [] });
  assert.deepEqual(known.get('none'), { done: null, committed: [] });

  for (const state of ['in the shard', 'in main']) {
    const [[hit] = []] = await textHits(store, ['run'], 3);
    const {
      vector: _vector,
      hash: _hash,
      ordinal: _ordinal,
      of: _of,
      words: _words,
      length: _length,
      language: _language,
      labels: _labels,
      ...passage
    } = rowsOf(lace)[0] ?? assert.fail();
    assert.deepEqual({ ...hit, score: 0 }, { ...passage, score: 0, stage: 'lexical' }, state);
    const [dense = []] = await denseHits(store, [vectorOf('Zebras have stripes')], 2);
    assert.equal(dense[0]?.document, zebra.key, state);
    assert.ok(Math.abs((dense[0]?.score ?? 0) - 1) < 2e-3, `cosine of equal vectors is ${dense[0]?.score}`);
    assert.equal(dense.length, 2);
    const { bytes, shards, ...rest } = await store.inspect();
    assert.deepEqual(rest, {
      documents: { processed: 2, failed: 0, needs_ocr: 0 },
      chunks: 3,
      embedding: encoder,
      vector_index: null,
    });
    assert.equal(shards, state === 'in main' ? 0 : 1);
    assert.ok(bytes > 1_000);
    await store.consolidate();
  }
  assert.deepEqual(await store.encoder(), encoder);
});

test('an index that is not there is empty, and looking at it makes nothing', async () => {
  await using folder = await scratchFolder();
  const root = path.join(folder.path, 'index');
  await using forked = await openForkedStore(root);
  const { store } = forked;
  assert.deepEqual(await store.inspect(), {
    documents: { processed: 0, failed: 0, needs_ocr: 0 },
    chunks: 0,
    embedding: null,
    shards: 0,
    bytes: 0,
    vector_index: null,
  });
  assert.equal(await store.encoder(), null);
  assert.deepEqual(await textHits(store, ['anything', ''], 5), [[], []]);
  assert.deepEqual(await denseHits(store, [vectorOf('x')], 5), [[]]);
  assert.deepEqual([...(await store.known(['a'])).values()], [{ done: null, committed: [] }]);
  await store.consolidate();
  assert.deepEqual(await readdir(folder.path), []);
});

test('a run with nothing to write changes no file', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.append(rowsOf(lace));
  await store.consolidate();
  const before = await readdir(folder.path, { recursive: true });
  await forked.kill();
  await store.beginWriting(encoder, 'run');
  await store.consolidate();
  assert.deepEqual(await readdir(folder.path, { recursive: true }), before);
});

test('a new version replaces the old one when it is complete, not before', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const newer: SampleDocument = {
    ...lace,
    edition: 'b',
    texts: ['Chloroplasts in leaves', 'Standing water', 'More'],
  };
  const [first, ...last] = [...rowsOf(newer)];
  assert.ok(first);
  await store.beginWriting(encoder, 'one');
  await store.append(rowsOf(lace));
  await store.consolidate();

  assert.deepEqual(await documentsFor(store, 'standing'), []);
  await store.append([first]);
  assert.deepEqual(await documentsFor(store, 'standing'), [], 'an unfinished version is not shown');
  assert.deepEqual(await documentsFor(store, 'mitochondria'), [lace.key]);
  await store.append(last);
  for (const state of ['before', 'after']) {
    assert.deepEqual(await documentsFor(store, 'mitochondria'), [], `${state} consolidation`);
    assert.deepEqual(await documentsFor(store, 'chloroplast standing'), [lace.key, lace.key]);
    assert.equal((await denseHits(store, [vectorOf('x')], 10))[0]?.length, 3);
    assert.deepEqual((await store.known([lace.key])).get(lace.key), { done: hashOf(newer), committed: [] });
    const { documents, chunks } = await store.inspect();
    assert.deepEqual([documents.processed, chunks], [1, 3]);
    await store.consolidate();
  }
});

test('a document that goes back to an earlier edition shows that edition', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const other: SampleDocument = { ...lace, edition: 'b', texts: ['Something else'] };
  await store.beginWriting(encoder, 'run');
  for (const edition of [lace, other, lace]) await store.append(rowsOf(edition));
  for (let round = 0; round < 2; round++) {
    assert.equal((await store.known([lace.key])).get(lace.key)?.done, hashOf(lace));
    assert.deepEqual(await documentsFor(store, 'else'), []);
    assert.equal((await denseHits(store, [vectorOf('x')], 10))[0]?.length, 2);
    await store.consolidate();
  }
});

test('k hits are found although the best rows are hidden', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const many = Array.from({ length: 200 }, (_, at) => ({ key: `d${at}`, texts: [`stripes stripes ${at}`] }));
  await store.append(many.flatMap((document) => rowsOf(document)));
  await store.consolidate();
  await store.append(
    many.slice(0, 190).flatMap((document) => rowsOf({ ...document, edition: 'b', texts: ['nothing'] })),
  );
  await store.append(
    rowsOf({ key: 'long', texts: ['the end', `one of the stripes, ${'and many other words '.repeat(20)}`] }),
  );
  const [hits = []] = await textHits(store, ['stripes'], 11);
  assert.deepEqual(
    hits.map(({ document }) => document).sort(),
    [...many.slice(190).map(({ key }) => key), 'long'].sort(),
  );
  assert.equal((await denseHits(store, [vectorOf('stripes stripes 3')], 150))[0]?.length, 150);
});

test('what a killed run has committed of an unfinished document survives consolidation', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const document: SampleDocument = { key: 'book', texts: ['one', 'two', 'three', 'four'] };
  const rows = rowsOf(document);
  await store.beginWriting(encoder, 'killed');
  await store.append([...rowsOf(zebra), ...rows.slice(0, 2)]);
  await forked.kill();
  const committed = rows.slice(0, 2).map(({ chunk }) => chunk);
  for (let round = 0; round < 3; round++) {
    const known = (await store.known(['book'])).get('book');
    assert.deepEqual(
      { ...known, committed: [...(known?.committed ?? [])].sort() },
      { done: null, committed: committed.sort() },
    );
    assert.deepEqual(await documentsFor(store, 'two three'), []);
    await store.consolidate();
  }
  await store.beginWriting(encoder, 'next');
  await store.append(rows.slice(2));
  assert.equal((await store.known(['book'])).get('book')?.done, hashOf(document));
  await store.consolidate();
  assert.deepEqual(
    await store.inspect().then(({ chunks, shards, documents }) => [chunks, shards, documents.processed]),
    [5, 0, 2],
  );
  assert.deepEqual(await documentsFor(store, 'three'), ['book']);
});

test('a failure counts once, and not after the document came through', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const failure = {
    document: 'bad.pdf',
    hash: 'x',
    file: '/bad.pdf',
    state: 'failed',
    reason: 'encrypted',
  } as const;
  const counts = async () => (await store.inspect()).documents;
  await store.beginWriting(encoder, 'run');
  await store.recordFailures([failure, { ...failure, document: 'scan.pdf', state: 'needs_ocr' }]);
  await store.recordFailures([{ ...failure, reason: 'still encrypted' }]);
  await store.consolidate();
  await store.recordFailures([failure]);
  assert.deepEqual(await counts(), { processed: 0, failed: 1, needs_ocr: 1 });
  await store.append(rowsOf({ key: 'bad.pdf', texts: ['readable now'] }));
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await counts(), { processed: 1, failed: 0, needs_ocr: 1 });
    await store.consolidate();
  }
  await store.recordFailures([failure]);
  assert.deepEqual(await counts(), { processed: 1, failed: 1, needs_ocr: 1 });
});

test('another encoder is refused, and the message names both', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  await store.beginWriting({ ...encoder, model: 'tiny:latest' }, 'run');
  await assert.rejects(store.beginWriting({ ...encoder, model: 'huge', digest: 'sha256:2' }, 'run'), {
    code: 'index-mismatch',
    message: /made by tiny .*in force is huge .*digest differs/,
    hint: /set the model.*--working-dir/,
  });
  await assert.rejects(store.beginWriting({ ...encoder, chunker: 'other' }, 'run'), {
    code: 'index-mismatch',
  });
});

test('vectors that are not numbers or of another size never reach the disk', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(encoder, 'run');
  const [row] = rowsOf(zebra);
  assert.ok(row);
  await assert.rejects(store.append([{ ...row, vector: new Float32Array(8).fill(NaN) }]), {
    code: 'bad-vector',
  });
  await assert.rejects(store.append([{ ...row, vector: new Float32Array(7) }]), { code: 'bad-vector' });
  assert.equal((await store.inspect()).chunks, 0);
});

test('the version of an index changes with what can be found in it, and with nothing else', async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  const versions = [await store.version()];
  const changes = async (): Promise<boolean> => {
    await textHits(store, ['text'], 3);
    const isNew = !versions.includes(await store.version());
    versions.push(await store.version());
    return isNew;
  };
  assert.equal(await changes(), false, 'a search');
  await store.beginWriting(encoder, 'run');
  const rows = rowsOf(lace);
  await store.append(rows.slice(0, -1));
  await changes(); // may be: a shard was begun
  await store.append(rows.slice(-1));
  assert.equal(await changes(), true, 'a document is complete');
  await store.append(rowsOf(zebra));
  assert.equal(await changes(), true, 'another one');
  await store.remove([zebra.key]);
  assert.equal(await changes(), true, 'it is removed');
  assert.equal(await changes(), false, 'nothing');
  await store.consolidate();
  assert.equal(await changes(), true, 'the shards are merged');
  await forked.kill();
  assert.equal(await changes(), false, 'another host reads the same tables');
});
