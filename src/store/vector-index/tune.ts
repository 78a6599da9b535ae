import { setImmediate as turn } from 'node:timers/promises';
import type { Table } from '@lancedb/lancedb';
import { dot, makeReader, minusDistance, type StoredVector } from '../search/compare.ts';
import { compressedQuery } from '../search/nearest.ts';
import type { StoredRow } from '../write/rows.ts';
import type { Tried } from './tuning.ts';
import type { Metric } from '../types.ts';
import { everyPartition, partitionsFor } from './vector-index.ts';

export interface TuneRequest {
  readonly main: Table;
  readonly rows: number;
  readonly metric: Metric;
  /** As they are searched for. */
  readonly questions: readonly Float32Array[];
  readonly depth: number;
}

const refines = [2, 3, 4, 6, 8, 12, 16];

/** Of fewer partitions all are probed: half of them would save less than a millisecond. */
const fewPartitions = 64;

function probesOf(rows: number): number[] {
  const partitions = partitionsFor(rows);
  const some = partitions <= fewPartitions ? [] : [8, 4, 2].map((share) => Math.ceil(partitions / share));
  return [...some, everyPartition(rows)];
}

/**
 * Tries the settings with questions whose answers are known. What stands among the best `refine * depth` by the codes
 * is found, because those are compared by their whole vectors: so one search tells of every `refine`.
 */
export async function trySettings(request: TuneRequest): Promise<Tried[]> {
  const { main, rows, questions, depth, metric } = request;
  const truths = await exactAnswers(request);
  const most = refines.at(-1) ?? 1;
  const tried: Tried[] = [];
  for (const nprobes of probesOf(rows)) {
    const hits = refines.map(() => 0);
    for (const [at, question] of questions.entries()) {
      const truth = new Set(truths[at]);
      const candidates: StoredRow[] = await compressedQuery(main, {
        question,
        metric,
        nprobes,
        limit: most * depth,
      }).toArray();
      const ids = candidates.map((row) => row['_rowid'] as bigint);
      for (const [level, refine] of refines.entries())
        hits[level] = (hits[level] ?? 0) + ids.slice(0, refine * depth).filter((id) => truth.has(id)).length;
    }
    const wanted = truths.reduce((sum, { length }) => sum + length, 0);
    tried.push(...refines.map((refine, level) => ({ nprobes, refine, recall: (hits[level] ?? 0) / wanted })));
  }
  return tried;
}

/** Rows compared before anybody else may have the thread: some 5 ms. */
const rowsPerTurn = 128;

/** The row ids of the best `depth` of each question. One reading of the table; 100k rows and 48 questions take 5 s. */
async function exactAnswers({ main, metric, questions, depth }: TuneRequest): Promise<bigint[][]> {
  const best = questions.map(() => makeBest(depth));
  const dimensions = questions[0]?.length ?? 0;
  const read = makeReader(dimensions);
  const compare = metric === 'l2' ? minusDistance : dot;
  for await (const batch of main.query().select(['vector']).withRowId()) {
    const ids = batch.getChild('_rowid')?.toArray() as BigUint64Array;
    const stored = batch.getChild('vector')?.data[0]?.children[0]?.values as StoredVector;
    for (const [row, id] of ids.entries()) {
      const vector = read(stored, row * dimensions);
      for (const [at, question] of questions.entries()) best[at]?.add(id, compare(question, vector));
      if (row % rowsPerTurn === 0) await turn();
    }
  }
  return best.map((each) => each.ids());
}

interface Best {
  add(id: bigint, score: number): void;
  ids(): bigint[];
}

/** Sorted now and then, which is cheaper than a heap where nearly all are too bad. */
function makeBest(count: number): Best {
  let kept: { readonly id: bigint; readonly score: number }[] = [];
  let atLeast = -Infinity;
  const cut = (): void => {
    kept = kept.sort((a, b) => b.score - a.score).slice(0, count);
    if (kept.length === count) atLeast = kept.at(-1)?.score ?? atLeast;
  };
  return {
    add: (id, score) => {
      if (score <= atLeast) return;
      kept.push({ id, score });
      if (kept.length >= 4 * count) cut();
    },
    ids: () => {
      cut();
      return kept.map(({ id }) => id);
    },
  };
}
