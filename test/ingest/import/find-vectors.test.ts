import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { codeOf, messageOf } from '../../../src/errors.ts';
import { findVectors } from '../../../src/ingest/import/find-vectors.ts';
import { scratchFolder } from '../../store/forked-host.ts';

async function laidOut(
  names: readonly string[],
  use: (at: (name: string) => string) => Promise<void>,
): Promise<void> {
  await using scratch = await scratchFolder();
  const at = (name: string): string => join(scratch.path, name);
  for (const name of names) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), 'x');
  }
  await use(at);
}

const files = (...paths: string[]) => paths.map((path) => ({ path, key: path }));
const found = async (corpus: readonly string[], given?: string): Promise<string[]> =>
  (await findVectors(files(...corpus), given)).map(({ vectors }) => vectors);

const medrag = [
  'pubmed/chunk/a.jsonl',
  'pubmed/chunk/b.jsonl',
  'pubmed/index/ncbi/MedCPT-Article-Encoder/embedding/a.npy',
  'pubmed/index/ncbi/MedCPT-Article-Encoder/embedding/b.npy',
  'pubmed/index/bm25/segments',
];
const articles = 'pubmed/index/ncbi/MedCPT-Article-Encoder/embedding';

test("MedRAG's vectors are found beside its chunks, where there is one retriever", () =>
  laidOut(medrag, async (at) => {
    const corpus = [at('pubmed/chunk/a.jsonl'), at('pubmed/chunk/b.jsonl')];
    assert.deepEqual(await found(corpus), [at(`${articles}/a.npy`), at(`${articles}/b.npy`)]);
  }));

test('of several retrievers the one is taken that is named, by its query encoder too', () =>
  laidOut([...medrag, 'pubmed/index/facebook/contriever/embedding/a.npy'], async (at) => {
    const corpus = [at('pubmed/chunk/a.jsonl')];
    await assert.rejects(found(corpus), (error) => {
      assert.equal(codeOf(error), 'no-input');
      assert.match(messageOf(error), /there are 2: .*contriever/);
      return true;
    });
    assert.deepEqual(await found(corpus, 'ncbi/MedCPT-Query-Encoder'), [at(`${articles}/a.npy`)]);
    assert.deepEqual(await found(corpus, at('pubmed/index/facebook/contriever')), [
      at('pubmed/index/facebook/contriever/embedding/a.npy'),
    ]);
  }));

test("FlashRAG's vectors are found beside the corpus, where there are no others", () =>
  laidOut(['wiki/corpus.jsonl', 'wiki/emb_e5.memmap'], async (at) => {
    assert.deepEqual(await found([at('wiki/corpus.jsonl')]), [at('wiki/emb_e5.memmap')]);
    writeFileSync(at('wiki/e5_Flat.index'), 'x');
    await assert.rejects(found([at('wiki/corpus.jsonl')]), /there are 2/);
    assert.deepEqual(await found([at('wiki/corpus.jsonl')], at('wiki/e5_Flat.index')), [
      at('wiki/e5_Flat.index'),
    ]);
  }));

test('one file of vectors is for one file of a corpus', () =>
  laidOut(['a.jsonl', 'b.jsonl', 'v.npy'], async (at) => {
    await assert.rejects(found([at('a.jsonl'), at('b.jsonl')], at('v.npy')), /has 2 files, one is wanted/);
    await assert.rejects(found([at('a.jsonl')], at('gone.npy')), /a\.npy is not in/);
  }));
