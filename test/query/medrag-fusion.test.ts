/**
 * MedRAG's fusions as they are documented, computed again from the rankings alone: each retriever is asked for
 * max(2k, 100) passages, a passage gets 1 / (100 + rank) from each ranking, ranks from 1, and the best k remain.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRetriever } from '../../src/job/prepare/retriever.ts';
import type { Embed } from '../../src/models/types.ts';
import { makeRetrievalCache } from '../../src/query/cache.ts';
import { makeRetrieve } from '../../src/query/retrieve.ts';
import type { ChunkRow, Store } from '../../src/store/types.ts';
import { openForkedStore, scratchFolder } from '../store/forked-host.ts';
import { encoder, rowsOf } from '../store/samples.ts';

const { signal } = new AbortController();
const topics = ['insulin', 'glucose', 'femur', 'kidney', 'statin', 'sepsis', 'asthma', 'anaemia'];
const texts = Array.from({ length: 260 }, (_, at) =>
  [at, at * 3, at * 7 + 2]
    .map((n) => topics[n % 8])
    .join(' ')
    .concat(` case ${at} of ${at % 13}`),
);

/** Counts of hashed words, not of length 1; queries and passages are encoded differently on purpose. */
function vectorOf(text: string, kind: 'query' | 'passage', salt: number): Float32Array {
  const vector = new Float32Array(16);
  for (const word of text.split(' ')) {
    let hash = kind === 'query' ? salt : salt + 2;
    for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 9973;
    const at = hash % 16;
    vector[at] = (vector[at] ?? 0) + 1 + (hash % 7) / 8;
  }
  return vector;
}

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
    .toSorted(byScore)
    .slice(0, k);
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
const near = (a: Float32Array, b: Float32Array): number =>
  -a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0);

/** Three encoders that agree on little: of SPECTER the nearest is the best. */
const encoders = {
  medcpt: { metric: 'dot', salt: 3, likeness: dot },
  contriever: { metric: 'dot', salt: 11, likeness: dot },
  specter: { metric: 'l2', salt: 17, likeness: near },
} as const;
type Name = keyof typeof encoders;

const byScore = (a: Passage, b: Passage): number => b.score - a.score || (a.id < b.id ? -1 : 1);

function rankingOf(name: Name, rows: readonly ChunkRow[], query: string): Passage[] {
  const { salt, likeness } = encoders[name];
  const vector = vectorOf(query, 'query', salt);
  return rows.map((row) => ({ id: row.chunk, score: likeness(row.vector, vector) })).toSorted(byScore);
}

interface Index extends AsyncDisposable {
  readonly store: Store;
  readonly embed: Embed;
  readonly rows: readonly ChunkRow[];
}

async function openIndex(name: Name): Promise<Index> {
  const { metric, salt } = encoders[name];
  const folder = await scratchFolder();
  const forked = await openForkedStore(folder.path);
  await forked.store.beginWriting({ ...encoder, model: name, dimensions: 16, type: 'f32', metric }, 'run');
  const rows = texts.flatMap((text, at) =>
    rowsOf({ key: `textbooks_${at}`, texts: [text] }).map((row) => ({
      ...row,
      vector: vectorOf(text, 'passage', salt),
    })),
  );
  await forked.store.append(rows);
  return {
    store: forked.store,
    embed: async ({ texts: given, kind }) => given.map((text) => vectorOf(text, kind, salt)),
    rows,
    [Symbol.asyncDispose]: async () => {
      await forked[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function withIndexes(
  names: readonly Name[],
  use: (indexes: readonly Index[]) => Promise<void>,
): Promise<void> {
  const [name, ...others] = names;
  if (name === undefined) return use([]);
  await using index = await openIndex(name);
  await withIndexes(others, (indexes) => use([index, ...indexes]));
}

for (const [name, wanted] of [
  ['rrf2', ['medcpt']],
  ['rrf4', ['medcpt', 'contriever', 'specter']],
] as const) {
  test(`${name} finds MedRAG's passages with MedRAG's scores, at any k`, () =>
    withIndexes(wanted, async (indexes) => {
      const { rrfK, depthPerHit, lexical, encoders: asked } = makeRetriever({ RAG_RETRIEVER: name });
      assert.deepEqual(asked, wanted);
      const [{ store, embed } = assert.fail(), ...further] = indexes;
      const settings = { candidates: 100, rrfK, depthPerHit, lexical };
      const retrieve = makeRetrieve({ store, embed, further, cache: makeRetrievalCache(1e6), settings });
      for (const k of [5, 32, 80]) {
        for (const query of ['insulin glucose', 'sepsis case 7', 'femur kidney statin']) {
          const depth = Math.max(2 * k, 100);
          const dense = wanted.map((each, at) =>
            rankingOf(each, indexes[at]?.rows ?? [], query).slice(0, depth),
          );
          const [words = []] = await store.searchText([query], depth);
          const expected = medRagMerge([words.map(({ chunk: id, score }) => ({ id, score })), ...dense], k);
          const [hits = []] = await retrieve({ queries: [query], topk: k, signal });
          assert.deepEqual(
            hits.map(({ chunk }) => chunk),
            expected.map(({ id }) => id),
            `${query}, ${k}`,
          );
          for (const [at, { score }] of hits.entries())
            assert.ok(Math.abs(score - (expected[at]?.score ?? 0)) < 1e-12, `${score}`);
        }
      }
    }));
}
