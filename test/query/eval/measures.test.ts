import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  judge,
  judgedAt,
  ndcgAt,
  precisionAt,
  queriesInScope,
  recallAt,
  reciprocalRankAt,
  successAt,
  type Grades,
  type Measure,
  type Scored,
} from '../../../src/query/eval/measures.ts';

interface Golden {
  readonly qrels: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly run: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly queries: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly mean: Readonly<Record<string, number>>;
  /** Averaged with -c. */
  readonly complete: Readonly<Record<string, number>>;
}

/** Ties, also of scores that differ only beyond 32 bits, ids beyond ASCII, negative grades, queries without a run. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'trec-eval.json'), 'utf8')) as Golden;

const families: Readonly<Record<string, (k: number) => Measure>> = {
  ndcg_cut: ndcgAt,
  recall: recallAt,
  P: precisionAt,
  success: successAt,
};

/** By trec_eval's name. */
function measureNamed(name: string): Measure {
  if (name === 'recip_rank') return reciprocalRankAt();
  const [, family = '', k] = /^(.*)_(\d+)$/.exec(name) ?? [];
  return families[family]?.(Number(k)) ?? assert.fail(name);
}

const qrels = new Map(
  Object.entries(golden.qrels).map(([query, grades]) => [query, new Map(Object.entries(grades))]),
);
const run = new Map(
  Object.entries(golden.run).map(([query, list]) => [
    query,
    Object.entries(list).map(([document, score]): Scored => ({ document, score })),
  ]),
);
const valueOf = (name: string, query: string): number =>
  measureNamed(name)(judge(run.get(query) ?? [], qrels.get(query) ?? new Map()));

const near = (actual: number, expected: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual}, trec_eval says ${expected}`);

test('every measure of every query is what trec_eval prints', () => {
  for (const [query, values] of Object.entries(golden.queries))
    for (const [name, expected] of Object.entries(values))
      near(valueOf(name, query), expected, `${name} of ${query}`);
});

test('means are those of trec_eval, without and with -c', () => {
  for (const [complete, means] of [
    [false, golden.mean],
    [true, golden.complete],
  ] as const) {
    const queries = queriesInScope(qrels, run, { complete, withoutRelevant: 'zero' });
    for (const [name, expected] of Object.entries(means))
      near(queries.reduce((sum, query) => sum + valueOf(name, query), 0) / queries.length, expected, name);
  }
});

test('queries without a relevant document can be left out, and those of the run alone never count', () => {
  const scope = { complete: true, withoutRelevant: 'left out' } as const;
  const scored = queriesInScope(qrels, run, scope);
  assert.ok(scored.length < qrels.size && !scored.includes('unjudged'));
  assert.ok(scored.every((query) => [...(qrels.get(query)?.values() ?? [])].some((grade) => grade > 0)));
});

/** Slow, and written from the definitions: the rank of a document is the number of documents that beat it. */
function slowly(list: readonly Scored[], grades: Grades, k: number): Record<string, number> {
  const beats = (a: Scored, b: Scored): boolean =>
    Math.fround(a.score) > Math.fround(b.score) ||
    (Math.fround(a.score) === Math.fround(b.score) && a.document > b.document);
  const rankOf = (one: Scored): number => 1 + list.filter((other) => beats(other, one)).length;
  const grade = (document: string): number => Math.max(0, grades.get(document) ?? 0);
  const top = list.filter((one) => rankOf(one) <= k);
  const relevant = [...grades.keys()].filter((document) => grade(document) > 0);
  const found = top.filter(({ document }) => grade(document) > 0);
  const ideal = [...grades.values()].filter((each) => each > 0).toSorted((a, b) => b - a);
  const gain = top.map((one) => grade(one.document) / Math.log2(rankOf(one) + 1));
  const best = ideal.slice(0, k).map((each, at) => each / Math.log2(at + 2));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    ndcg: relevant.length === 0 ? 0 : sum(gain) / sum(best),
    recall: relevant.length === 0 ? 0 : found.length / relevant.length,
    precision: found.length / k,
    success: Math.min(1, found.length),
    reciprocalRank: found.length === 0 ? 0 : 1 / Math.min(...found.map(rankOf)),
    judged: top.length === 0 ? 0 : top.filter(({ document }) => grades.has(document)).length / top.length,
  };
}

test('on any ranking with ties the measures are what their definitions give', () => {
  const document = fc.integer({ min: 0, max: 25 }).map((n) => `d${n}`);
  const score = fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ min: -5, max: 5, noNaN: true }));
  const list = fc.uniqueArray(fc.record({ document, score }), { selector: (one) => one.document });
  const grades = fc.array(fc.tuple(document, fc.integer({ min: -1, max: 3 }))).map((all) => new Map(all));
  fc.assert(
    fc.property(list, grades, fc.integer({ min: 1, max: 12 }), (ranking, judgements, k) => {
      const judged = judge(ranking, judgements);
      const slow = slowly(ranking, judgements, k);
      const fast = {
        ndcg: ndcgAt(k)(judged),
        recall: recallAt(k)(judged),
        precision: precisionAt(k)(judged),
        success: successAt(k)(judged),
        reciprocalRank: reciprocalRankAt(k)(judged),
        judged: judgedAt(k)(judged),
      };
      for (const [name, value] of Object.entries(fast)) near(value, slow[name] ?? NaN, name);
    }),
    { numRuns: 500 },
  );
});
