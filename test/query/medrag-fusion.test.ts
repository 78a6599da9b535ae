/**
 * MedRAG's RRF-2 as it is documented, computed again from the two rankings alone: each retriever is asked for
 * max(2k, 100) passages, a passage gets 1 / (100 + rank) from each ranking, ranks from 1, and the best k remain.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRetriever } from '../../src/job/retriever.ts';
import type { Embed } from '../../src/models/types.ts';
import { makeRetrievalCache } from '../../src/query/cache.ts';
import { makeRetrieve } from '../../src/query/retrieve.ts';
import type { EncoderRecord } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from '../store/forked-host.ts';
import { encoder, rowsOf } from '../store/samples.ts';

const { signal } = new AbortController();
const medcpt: EncoderRecord = { ...encoder, model: 'medcpt', dimensions: 16, type: 'f32', metric: 'dot' };

const topics = ['insulin', 'glucose', 'femur', 'kidney', 'statin', 'sepsis', 'asthma', 'anaemia'];
const texts = Array.from({ length: 260 }, (_, at) =>
  [at, at * 3, at * 7 + 2]
    .map((n) => topics[n % 8])
    .join(' ')
    .concat(` case ${at} of ${at % 13}`),
);

/** Counts of hashed words, not of length 1; queries and passages are encoded differently on purpose. */
function vectorOf(text: string, kind: 'query' | 'passage'): Float32Array {
  const vector = new Float32Array(medcpt.dimensions);
  for (const word of text.split(' ')) {
    let hash = kind === 'query' ? 3 : 5;
    for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 9973;
    const at = hash % medcpt.dimensions;
    vector[at] = (vector[at] ?? 0) + 1 + (hash % 7) / 8;
  }
  return vector;
}

const embed: Embed = async ({ texts: given, kind }) => given.map((text) => vectorOf(text, kind));

interface Passage {
  readonly id: string;
  readonly score: number;
}

/** As MedRAG's `merge` does it for one corpus; of equal scores the one with the smaller id is first. */
function medRagMerge(rankings: readonly (readonly Passage[])[], k: number, rrfK = 100): Passage[] {
  const sums = new Map<string, number>();
  for (const ranking of rankings)
    ranking.forEach(({ id }, rank0) => sums.set(id, (sums.get(id) ?? 0) + 1 / (rrfK + rank0 + 1)));
  return [...sums]
    .map(([id, score]) => ({ id, score }))
    .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, k);
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

test("rrf2 finds MedRAG's passages with MedRAG's scores, at any k", async () => {
  await using folder = await scratchFolder();
  await using forked = await openForkedStore(folder.path);
  const { store } = forked;
  await store.beginWriting(medcpt, 'run');
  const rows = texts.flatMap((text, at) =>
    rowsOf({ key: `textbooks_${at}`, texts: [text] }).map((row) => ({
      ...row,
      vector: vectorOf(text, 'passage'),
    })),
  );
  await store.append(rows);
  const { rrfK, depthPerHit, lexical } = makeRetriever({ RAG_RETRIEVER: 'rrf2' });
  const retrieve = makeRetrieve({
    store,
    embed,
    cache: makeRetrievalCache(1e6),
    settings: { candidates: 100, rrfK, depthPerHit, lexical },
  });
  for (const k of [5, 32, 80]) {
    const depth = Math.max(2 * k, 100);
    for (const query of ['insulin glucose', 'sepsis case 7', 'femur kidney statin']) {
      const asked = vectorOf(query, 'query');
      const dense = rows
        .map(({ chunk: id, vector }) => ({ id, score: dot(vector, asked) }))
        .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
        .slice(0, depth);
      const [words = []] = await store.searchText([query], depth);
      const expected = medRagMerge([words.map(({ chunk: id, score }) => ({ id, score })), dense], k);
      const [hits = []] = await retrieve({ queries: [query], topk: k, signal });
      assert.deepEqual(
        hits.map(({ chunk: id, score }) => ({ id, score })),
        expected,
        `${query}, ${k}`,
      );
    }
  }
});
