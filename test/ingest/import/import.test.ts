import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chunkerName } from '../../../src/documents/chunk.ts';
import { openParserPool } from '../../../src/documents/pool.ts';
import type { ParserPool } from '../../../src/documents/types.ts';
import { codeOf, messageOf } from '../../../src/errors.ts';
import { compare } from '../../../src/ingest/import/compare.ts';
import { corpusPart } from '../../../src/ingest/import/corpus-part.ts';
import { exportedPart } from '../../../src/ingest/import/exported-part.ts';
import { importParts } from '../../../src/ingest/import/import.ts';
import type { Part } from '../../../src/ingest/import/parts.ts';
import { openVectors } from '../../../src/ingest/import/vector-file.ts';
import type { Embed } from '../../../src/models/types.ts';
import type { Store } from '../../../src/store/types.ts';
import { openForkedStore, scratchFolder } from '../../store/forked-host.ts';
import { encoder as sample, vectorOf } from '../../store/samples.ts';
import { floats, npy } from './vector-samples.ts';

const chunker = { targetTokens: 32, overlapTokens: 0 };
const encoder = { ...sample, chunker: chunkerName(chunker) };
const { signal } = new AbortController();

let parser: ParserPool;
before(() => {
  parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1 << 28, timeoutMsPerFile: 60_000 });
});
after(() => parser[Symbol.asyncDispose]());

interface Sample {
  readonly id: string;
  readonly title: string;
  readonly content: string;
}
const samples: Sample[] = Array.from({ length: 30 }, (_, n) => ({
  id: `pubmed_${n}`,
  title: `Title ${n}`,
  content:
    n === 7 ? `A row of two hundred words about number ${n}. `.repeat(25).trim() : `About number ${n}.`,
}));
/** As MedCPT does: of title and text. */
const vectorFor = ({ title, content }: Sample): Float32Array => vectorOf(`${title}|${content}`);
const embed: Embed = async ({ texts, titles }) =>
  texts.map((text, at) => vectorOf(`${titles?.[at] ?? ''}|${text}`));

async function withPart(
  change: { readonly rows?: readonly Sample[]; readonly vectors?: readonly Float32Array[] },
  use: (part: Part, folder: string) => Promise<void>,
): Promise<void> {
  await using scratch = await scratchFolder();
  const path = join(scratch.path, 'pubmed.jsonl');
  const { rows = samples, vectors = rows.map(vectorFor) } = change;
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(join(scratch.path, 'v.npy'), npy(floats(vectors), { shape: `${vectors.length}, 8` }));
  const file = await openVectors(join(scratch.path, 'v.npy'), 8);
  await use(await corpusPart({ path, key: 'pubmed.jsonl' }, file, { parser, chunker }, signal), scratch.path);
}

async function importInto(store: Store, part: Part) {
  await store.beginWriting(encoder, 'importer');
  return importParts([part], { store, encoder, signal });
}

test('every row is one passage with its vector, found by its words and by its vector, and is not imported twice', () =>
  withPart({}, async (part, folder) => {
    await using host = await openForkedStore(join(folder, 'index'));
    const { store } = host;
    assert.deepEqual((await importInto(store, part)).documents.processed, 30);
    await store.consolidate();
    assert.equal((await store.inspect()).chunks, 30);
    const [byVector = []] = await store.searchDense([vectorFor(samples[7] as Sample)], 1);
    const [byWords = []] = await store.searchText(['hundred'], 1);
    for (const [hit] of [byVector, byWords]) assert.equal(hit?.chunk, byVector[0]?.chunk);
    const again = await importInto(store, part);
    assert.deepEqual([again.documents.processed, again.documents.unchanged, again.chunks], [0, 30, 0]);
    assert.deepEqual((await store.verify()).problems, []);
  }));

test('what a killed run committed is not imported again, and the rest is', () =>
  withPart({}, async (part, folder) => {
    await using host = await openForkedStore(join(folder, 'index'));
    const { store } = host;
    const stop = new AbortController();
    await store.beginWriting(encoder, 'killed');
    const append: Store['append'] = async (rows) => {
      await store.append(rows.slice(0, 10));
      stop.abort();
      await host.kill();
      throw new Error('killed');
    };
    await assert.rejects(importParts([part], { store: { ...store, append }, encoder, signal }), /killed/);
    const report = await importInto(store, part);
    assert.deepEqual([report.documents.processed, report.documents.unchanged], [20, 10]);
    await store.consolidate();
    assert.equal((await store.inspect()).chunks, 30);
    assert.deepEqual((await store.verify()).problems, []);
  }));

test('rows whose vector is no vector are set aside, and the others are imported', () => {
  const vectors = samples.map(vectorFor);
  vectors[3] = new Float32Array(8).fill(Number.NaN);
  vectors[4] = new Float32Array(8);
  return withPart({ vectors }, async (part, folder) => {
    await using host = await openForkedStore(join(folder, 'index'));
    const report = await importInto(host.store, part);
    assert.deepEqual([report.documents.processed, report.documents.failed], [28, 2]);
    assert.deepEqual(
      report.failures.map(({ document }) => document),
      ['pubmed.jsonl#pubmed_3', 'pubmed.jsonl#pubmed_4'],
    );
    assert.match(report.failures[0]?.reason ?? '', /row 3 of .* is no vector/);
  });
});

test('a document of which a stopped ingest has stored parts is not stored beside them', () =>
  withPart({}, async (part, folder) => {
    await using host = await openForkedStore(join(folder, 'index'));
    const { store } = host;
    await store.beginWriting(encoder, 'stopped');
    const [entry] = await part.read(part.slices[0] as Part['slices'][number], signal);
    assert.ok(typeof entry === 'object' && 'row' in entry);
    await store.append([{ ...entry.row, chunk: 'f'.repeat(32), ordinal: 1, of: 2, vector: vectorOf('x') }]);
    await using other = await openForkedStore(join(folder, 'index'));
    const report = await importInto(other.store, part);
    assert.deepEqual([report.documents.processed, report.documents.failed], [29, 1]);
    assert.match(report.failures[0]?.reason ?? '', /an ingest that was stopped/);
  }));

test('passages that are encoded again as the file has them are let in, whatever was put together of title and text', async () => {
  await withPart({}, async (part) => {
    const { compared, form, lowest } = await compare([part], embed, signal);
    assert.deepEqual([compared, form, lowest > 0.999], [30, 'text', true]);
  });
  const vectors = samples.map(({ title, content }) => vectorOf(`|"${title}"\n${content}`));
  await withPart({ vectors }, async (part) => {
    assert.equal((await compare([part], embed, signal)).form, '"title", line feed, text');
  });
});

test('vectors of another encoder, and rows in another order, are refused by name', async () => {
  const swapped = samples.map(vectorFor);
  [swapped[5], swapped[6]] = [swapped[6] as Float32Array, swapped[5] as Float32Array];
  await withPart({ vectors: swapped }, (part) =>
    assert.rejects(compare([part], embed, signal), (error) => {
      assert.equal(codeOf(error), 'index-mismatch');
      assert.match(messageOf(error), /of 30 passages .* 2 are like theirs by less than 0\.99: .*pubmed_[56]/);
      return true;
    }),
  );
  await withPart({ vectors: samples.map(({ id }) => vectorOf(id)) }, (part) =>
    assert.rejects(compare([part], embed, signal), /30 are like theirs/),
  );
});

test('what was exported is imported again: the same passages, and the same vectors to half precision', () =>
  withPart({}, async (part, folder) => {
    await using first = await openForkedStore(join(folder, 'index'));
    await importInto(first.store, part);
    await first.store.append(
      [1, 2, 0].map((ordinal) => ({
        ...rowOf('report.pdf', ordinal),
        vector: vectorOf(`report ${ordinal}`),
      })),
    );
    await first.store.exportTo(join(folder, 'out'), 'all');
    const file = await openVectors(join(folder, 'out/vectors.npy'), 8);
    const exported = await exportedPart(join(folder, 'out'), file, signal);
    await using second = await openForkedStore(join(folder, 'copy'));
    const report = await importInto(second.store, exported);
    assert.deepEqual([report.documents.processed, report.chunks], [31, 33]);
    const once = await first.store.exportTo(join(folder, 'out'), 'all');
    const twice = await second.store.exportTo(join(folder, 'out2'), 'all');
    assert.deepEqual(twice, once);
    const again = await importInto(second.store, exported);
    assert.deepEqual([again.documents.unchanged, again.chunks], [31, 0]);
  }));

function rowOf(document: string, ordinal: number) {
  return {
    chunk: `${ordinal}`.repeat(32),
    document,
    id: document,
    title: 'Report',
    file: `/in/${document}`,
    hash: 'a'.repeat(64),
    ordinal,
    of: 3,
    page: 1,
    pageEnd: 2,
    start: 0,
    end: 6,
    headings: ['One'],
    text: `part ${ordinal}`,
    words: `report part ${ordinal}`,
    length: 3,
    language: '',
    labels: ['type=pdf'],
  };
}
