import { fetchHits } from '../../src/query/fetch-hits.ts';
import type { Filter, Hit } from '../../src/work.ts';
import type { Ranked, Store } from '../../src/store/types.ts';

type Searched = Pick<Store, 'searchDense' | 'searchText' | 'passages'>;

/** What a search finds, with its texts. */
export async function denseHits(
  store: Searched,
  vectors: readonly Float32Array[],
  k: number,
  filter?: Filter,
): Promise<Hit[][]> {
  return withTexts(store, await store.searchDense(vectors, k, filter), 'dense');
}

export async function textHits(
  store: Searched,
  texts: readonly string[],
  k: number,
  filter?: Filter,
): Promise<Hit[][]> {
  return withTexts(store, await store.searchText(texts, k, filter), 'lexical');
}

const withTexts = (store: Searched, lists: readonly Ranked[][], stage: Hit['stage']): Promise<Hit[][]> =>
  fetchHits(
    store,
    lists.map((list) => list.map((ranked) => ({ ...ranked, stage }))),
    Infinity,
  );
