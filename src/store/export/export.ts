/**
 * The index as files that any program reads: passages as JSON Lines, their vectors as one `.npy` in the same order,
 * and a manifest that says by what they were made.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Table } from '@lancedb/lancedb';
import type { Vector } from 'apache-arrow';
import { asDiskFull, writeAtomic } from '../../disk/atomic.ts';
import { messageOf, RagError } from '../../errors.ts';
import { manifestName, passagesName, vectorsName, type Exported, type ExportedPart } from './exported.ts';
import { exportedColumns, exportedLine } from './exported-row.ts';
import { npyHeader } from './npy-header.ts';
import { openPart, type PartFile, type WrittenFile } from './part-file.ts';
import { sortedPlaces, type Place, type Places } from './places.ts';
import { readRecord } from '../write/record.ts';
import type { StoredRow } from '../write/rows.ts';
import type { IndexFolder } from '../tables.ts';
import { numbersOf } from '../write/vectors.ts';
import { readView } from '../view.ts';

/**
 * @param target absolute path of a folder that is empty, not there, or an earlier export
 * @throws no-input when there is no index, usage when other files are in the folder, disk-full
 */
export async function exportTo(
  folder: IndexFolder,
  target: string,
  what: ExportedPart = 'all',
): Promise<Exported> {
  const encoder = await readRecord(folder.root);
  if (encoder === null) throw noIndex(folder.root);
  await claimTarget(target);
  const hasVectors = what === 'all' && encoder.dimensions > 0;
  const places = await sortedPlaces(await readView(folder));
  const counts = await countPlaces(places);
  const files: WrittenFile[] = [];
  {
    await using passages = await openPart(target, passagesName);
    await using vectors = hasVectors ? await openPart(target, vectorsName) : undefined;
    await vectors?.write(npyHeader(counts.passages, encoder.dimensions));
    for await (const rows of rowsInOrder(places, hasVectors)) await writeRows(rows, passages, vectors);
    files.push(await passages.finish());
    if (vectors !== undefined) files.push(await vectors.finish());
  }
  const made = { kind: 'rag-allinone export', format: 1, encoder, ...counts } as const;
  const manifest: Exported = { ...made, order: 'document, ordinal', files };
  await writeAtomic(path.join(target, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, 0o644);
  return manifest;
}

/** What is not ours is not touched. */
async function claimTarget(target: string): Promise<void> {
  await mkdir(target, { recursive: true }).catch((cause: unknown) => {
    throw noFolder(target, cause);
  });
  const ours = [manifestName, passagesName, vectorsName].flatMap((name) => [name, `${name}.part`]);
  const foreign = (await readdir(target)).find((name) => !ours.includes(name));
  if (foreign !== undefined) {
    throw new RagError(
      'usage',
      `Cannot export to ${target}: ${foreign} is in it, an empty folder is wanted`,
      {
        hint: `node dist/supervisor.js index export ${path.join(target, 'export')}`,
      },
    );
  }
  await rm(path.join(target, manifestName), { force: true });
}

function noFolder(target: string, cause: unknown): RagError {
  const full = asDiskFull(cause, target);
  if (full instanceof RagError) return full;
  return new RagError(
    'usage',
    `Cannot export to ${target}: ${messageOf(cause)}, a folder that can be written is wanted`,
    { hint: 'node dist/supervisor.js index export exported/', cause },
  );
}

/** Pings are answered in between. */
const countedAtOnce = 500_000;

async function countPlaces(places: Places): Promise<Pick<Exported, 'documents' | 'passages'>> {
  let [documents, passages] = [0, 0];
  for (const { ordinal } of places()) {
    if (ordinal === 0) documents += 1;
    if (++passages % countedAtOnce === 0) await otherWork();
  }
  return { documents, passages };
}

/** 1,024 rows of 4,096 numbers are 16 MiB. */
const batchRows = 1024;

async function* rowsInOrder(places: Places, hasVectors: boolean): AsyncGenerator<StoredRow[]> {
  let batch: Place[] = [];
  for (const place of places()) {
    batch.push(place);
    if (batch.length < batchRows) continue;
    yield await takeRows(batch, hasVectors);
    batch = [];
  }
  if (batch.length > 0) yield await takeRows(batch, hasVectors);
}

async function takeRows(batch: readonly Place[], hasVectors: boolean): Promise<StoredRow[]> {
  const columns = [...exportedColumns, ...(hasVectors ? ['vector'] : [])];
  const found = new Map<string, StoredRow>();
  for (const table of new Set(batch.map((place) => place.table))) {
    const ids = batch.filter((place) => place.table === table).map(({ row }) => row);
    for (const row of await rowsOf(table, ids, columns)) found.set(keyOf(row), row);
  }
  return batch.map((place) => {
    const row = found.get(keyOf(place));
    if (row === undefined) throw new RagError('bug', `Cannot export ${place.document}: a row of it is gone`);
    return row;
  });
}

const keyOf = ({ document, ordinal }: Pick<Place, 'document' | 'ordinal'> | StoredRow): string =>
  `${String(document)}\0${String(ordinal)}`;

async function rowsOf(
  table: Table,
  ids: readonly bigint[],
  columns: readonly string[],
): Promise<StoredRow[]> {
  const taken = await table
    .takeRowIds([...ids])
    .select([...columns])
    .toArrow();
  const vectors = columns.map((name) => [name, taken.getChild(name)] as const);
  return Array.from({ length: taken.numRows }, (_, at) =>
    Object.fromEntries(vectors.map(([name, vector]) => [name, vector?.get(at) as unknown])),
  );
}

async function writeRows(
  rows: readonly StoredRow[],
  passages: PartFile,
  vectors: PartFile | undefined,
): Promise<void> {
  await passages.write(Buffer.from(rows.map(exportedLine).join(''), 'utf8'));
  if (vectors === undefined) return;
  const numbers = rows.map((row) => Buffer.from(numbersOf(row['vector'] as Vector).buffer));
  await vectors.write(Buffer.concat(numbers));
}

const noIndex = (root: string): RagError =>
  new RagError(
    'no-input',
    `Cannot export the index in ${root}: there is none, an ingested corpus is wanted`,
    {
      hint: 'node dist/supervisor.js ingest --here PATH',
    },
  );
