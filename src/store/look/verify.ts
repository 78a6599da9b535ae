import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Table } from '@lancedb/lancedb';
import type { Vector } from 'apache-arrow';
import { messageOf } from '../../errors.ts';
import { shellWord } from '../../observe/terminal.ts';
import { fromHalf } from '../write/half.ts';
import { makeInventory } from './inventory.ts';
import { readRecord } from '../write/record.ts';
import type { StoredRow } from '../write/rows.ts';
import { mainName, openMain, openShard, shardNames, tablePath, type IndexFolder } from '../tables.ts';
import { unindexedRows } from '../consolidate/textindex.ts';
import type { EncoderRecord, Metric } from '../types.ts';
import { vectorIndexDue, vectorIndexState } from '../vector-index/vector-index.ts';
import { readView, scan } from '../view.ts';

export interface Problem {
  readonly problem: string;
  /** What to do about it. */
  readonly mend: string;
}

export interface Verification {
  /** Complete ones. */
  readonly documents: number;
  readonly chunks: number;
  /** Rows of versions that a stopped run has not finished: the next run takes them up. */
  readonly pending: number;
  /** Shards that are not merged yet. */
  readonly shards: number;
  readonly problems: readonly Problem[];
}

/** Reads everything there is, row by row: as long as reading all its bytes takes. Changes nothing but torn manifests. */
export async function verify(folder: IndexFolder): Promise<Verification> {
  const problems: Problem[] = [];
  const attempt = async <Out>(what: string, work: () => Promise<Out>): Promise<Out | undefined> => {
    try {
      return await work();
    } catch (error) {
      problems.push(unreadable(folder, what, error));
      return undefined;
    }
  };
  const view = await attempt('the ledger', () => readView(folder));
  const inventory = makeInventory(view?.ledger ?? new Map());
  const record = await attempt('the record of the encoder', () => readRecord(folder.root));
  const vectors = makeVectorCheck(record?.metric ?? 'cosine');
  const read = (what: string, open: () => Promise<Table | undefined>, place?: 'main' | 'shard') =>
    attempt(what, async () => {
      for await (const row of allColumns(await open())) {
        if (place === undefined) continue;
        inventory.add(row, place);
        vectors.add(row);
      }
    });
  await read('main', () => openMain(folder, 'chunks'), 'main');
  await read('the list of failures', () => openMain(folder, 'failures'));
  const shards = await shardNames(folder, 'chunks');
  for (const name of shards) await read(`the shard ${name}`, () => openShard(folder, name), 'shard');
  for (const name of await shardNames(folder, 'failures'))
    await read(`the shard ${name}`, () => openShard(folder, name));

  const { problems: miscounted, ...counts } = inventory.sum();
  problems.push(...miscounted, ...vectors.problems(), ...(await tornManifests(folder, shards)));
  problems.push(...((await attempt('the indexes of main', () => indexProblems(folder, record))) ?? []));
  return { ...counts, shards: shards.length, problems };
}

async function* allColumns(table: Table | undefined): AsyncGenerator<StoredRow> {
  if (table !== undefined)
    yield* scan(
      table,
      (await table.schema()).fields.map(({ name }) => name),
    );
}

function unreadable({ root }: IndexFolder, what: string, error: unknown): Problem {
  const [line] = messageOf(error).split('\n');
  return {
    problem: `${what} cannot be read: ${line}`,
    mend: `mv ${root} ${root}.damaged   # then ingest again, or restore a backup`,
  };
}

function makeVectorCheck(metric: Metric): { add(row: StoredRow): void; problems(): Problem[] } {
  let [bad, first] = [0, ''];
  return {
    add: (row) => {
      const vector = row['vector'] as Vector | undefined;
      if (vector === undefined || isSound(vector, metric)) return;
      bad += 1;
      first ||= String(row['document']);
    },
    problems: () =>
      bad === 0
        ? []
        : [
            {
              problem: `${bad} vectors are not finite${metric === 'cosine' ? ' or not of length 1' : ''}, the first of ${first}`,
              mend: `node dist/supervisor.js index remove --yes ${shellWord(first)}   # then ingest it again`,
            },
          ],
  };
}

/** Half floats of a vector of length 1 are off by less than a thousandth. */
const normTolerance = 0.01;

function isSound(vector: Vector, metric: Metric): boolean {
  const stored = vector.toArray() as Float32Array | Uint16Array;
  const values = stored instanceof Uint16Array ? fromHalf(stored) : stored;
  let sum = 0;
  for (const value of values) sum += value * value;
  // False for what is not finite.
  return metric === 'cosine' ? Math.abs(Math.sqrt(sum) - 1) <= normTolerance : sum < Infinity;
}

const compact = 'node dist/supervisor.js index compact';

/** Only main: a shard's index is brought up to date by the questions. */
async function indexProblems(
  folder: IndexFolder,
  encoder: EncoderRecord | null | undefined,
): Promise<Problem[]> {
  const main = await openMain(folder, 'chunks');
  if (main === undefined || (await main.countRows()) === 0) return [];
  const vectors = encoder == null ? 'nothing' : await vectorIndexDue(main, encoder, await main.countRows());
  const state = vectors === 'nothing' ? undefined : await vectorIndexState(main);
  return [
    ...uncovered('text index', await unindexedRows(main)),
    ...(vectors === 'nothing' ? [] : uncovered('index of the vectors', state?.tail)),
  ];
}

/** @param tail undefined where there is no index at all */
function uncovered(index: string, tail: number | undefined): Problem[] {
  if (tail === 0) return [];
  const rows = tail === undefined ? 'no row' : `all rows but ${tail}`;
  return [{ problem: `the ${index} covers ${rows} of main`, mend: compact }];
}

/** What was moved aside when a table was opened, now or before: nothing acknowledged was in it. */
async function tornManifests(folder: IndexFolder, shards: readonly string[]): Promise<Problem[]> {
  const places = [
    tablePath(folder.root, mainName('chunks')),
    tablePath(folder.root, mainName('failures')),
    ...shards.map((name) => tablePath(folder.shards, name)),
  ];
  const problems: Problem[] = [];
  for (const place of places) {
    const versions = path.join(place, '_versions');
    const torn = existsSync(versions)
      ? (await readdir(versions)).filter((name) => name.endsWith('.torn'))
      : [];
    for (const name of torn) {
      const file = path.join(versions, name);
      problems.push({ problem: `${file} was torn; the version before is in force`, mend: `rm ${file}` });
    }
  }
  return problems;
}
