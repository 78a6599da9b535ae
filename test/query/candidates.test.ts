/** Which rankings there are, and how they become one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { Embed } from '../../src/models/types.ts';
import { makeFindCandidates, type Candidates, type CandidateParts } from '../../src/query/candidates.ts';
import type { Store } from '../../src/store/types.ts';
import { storedHit, storeFinding } from './hits.ts';

const { signal } = new AbortController();
const embed: Embed = ({ texts }) => Promise.resolve(texts.map((text) => Float32Array.of(text.length)));
const never = (): Promise<never> => assert.fail('nobody may ask for this');

interface Asked {
  readonly store: Store;
  readonly depths: number[];
}

function storeOf(parts: Partial<Store> = {}): Asked {
  const depths: number[] = [];
  const store: Partial<Store> = {
    ...storeFinding({
      dense: (_, k) => {
        depths.push(k);
        return [
          storedHit('a', 'same text', { score: 81 }),
          storedHit('b', 'same text', { score: 80 }),
          storedHit('c', 'far', { score: -3 }),
        ];
      },
      lexical: (_, k) => {
        depths.push(k);
        return [storedHit('d', 'a word', { score: 7.5 })];
      },
    }),
    ...parts,
  };
  return { store: store as Store, depths };
}

async function find(parts: CandidateParts, depth = 5): Promise<Candidates> {
  const [found] = await makeFindCandidates(parts)(['a query'], { topk: depth, signal });
  return found ?? assert.fail();
}

const shown = ({ hits }: Candidates): unknown[] =>
  hits.map(({ chunk, score, stage }) => [chunk, score, stage]);

const settings = { candidates: 10, rrfK: 60 };

test('vectors alone keep their scores, and words are not searched', async () => {
  const { store } = storeOf({ searchText: never });
  const found = await find({ store, embed, settings: { ...settings, lexical: false } });
  assert.deepEqual(shown(found), [
    ['a', 81, 'dense'],
    ['c', -3, 'dense'],
  ]);
  assert.equal(found.lexical, 0);
  assert.equal(found.whole, true);
});

test('words alone keep their scores, and nobody embeds', async () => {
  const { store } = storeOf({ searchDense: never });
  const found = await find({ store, embed: undefined, settings });
  assert.deepEqual(shown(found), [['d', 7.5, 'lexical']]);
  assert.equal(found.lexical, 1);
  assert.equal(found.whole, true);
});

test('a query that the encoder refuses finds nothing where vectors alone are searched, and may be asked again', async () => {
  const refusing: Embed = () =>
    Promise.reject(Object.assign(new RagError('bad-vector', 'Cannot embed'), { index: 0 }));
  const { store } = storeOf({ searchText: never });
  const found = await find({ store, embed: refusing, settings: { ...settings, lexical: false } });
  assert.deepEqual([found.hits, found.whole], [[], false]);
});

test('each ranking is as deep as its retriever wants, and never less than the candidates', async () => {
  for (const [depth, depthPerHit, expected] of [
    [5, 2, 10],
    [32, 2, 64],
    [32, undefined, 32],
  ] as const) {
    const { store, depths } = storeOf();
    await find({ store, embed, settings: { ...settings, ...(depthPerHit && { depthPerHit }) } }, depth);
    assert.deepEqual(depths, [expected, expected]);
  }
});

test('texts are read of the best only, and a passage that is gone meanwhile is left out', async () => {
  const { store } = storeOf();
  const asked: (readonly string[])[] = [];
  const passages: Store['passages'] = (chunks) => {
    asked.push(chunks);
    return store.passages(chunks.filter((chunk) => chunk !== 'c'));
  };
  const findBest = makeFindCandidates({ store: { ...store, passages }, embed, settings });
  const [found] = await findBest(['a query'], { topk: 2, texts: 2, signal });
  assert.deepEqual(asked, [['a', 'd']]);
  assert.deepEqual(
    found?.hits.map(({ chunk, text }) => [chunk, text]),
    [
      ['a', 'same text'],
      ['d', 'a word'],
    ],
  );
  const [all] = await findBest(['a query'], { topk: 2, signal });
  assert.deepEqual(
    all?.hits.map(({ chunk }) => chunk),
    ['a', 'd'],
  );
});
