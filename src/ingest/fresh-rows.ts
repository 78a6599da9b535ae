/** From tasks to the rows that need a vector. What needs none is counted, what failed is set aside. */
import { chunkerName } from '../documents/chunk.ts';
import { fileOf } from '../documents/failed.ts';
import type { ParsedDocument } from '../documents/types.ts';
import type { FailureRow, Known } from '../store/types.ts';
import { makeRows, type BareRow } from './chunk-rows.ts';
import type { Stages } from './ingest.ts';
import { mostComparedBytes, type ParsingTask, type Task } from './known.ts';

/** What came of a task. */
export interface Found {
  readonly task: Task;
  readonly documents: readonly ParsedDocument[];
  readonly known: ReadonlyMap<string, Known>;
}

type Parts = Pick<Stages, 'store' | 'parser' | 'signal'>;

export async function parseTask(task: Task, { store, parser, signal }: Parts): Promise<Found> {
  if (task.kind === 'unchanged' || task.kind === 'failed') return { task, documents: [], known: new Map() };
  const documents =
    task.kind === 'parse'
      ? await parser.parse(task.task, signal)
      : await compare(task.files, { parser, signal });
  const asked = task.kind === 'parse' ? task.known : (task.files[0]?.known ?? new Map<string, Known>());
  const keys = documents.map((document) => document.key);
  // The listing knows files by name only: what it took for a file may have turned out to be a corpus.
  const known = keys.every((key) => asked.has(key)) ? asked : await store.known(keys);
  return { task, documents, known };
}

/** Files that have changed are read once more, which the file system remembers. */
async function compare(
  files: readonly ParsingTask[],
  { parser, signal }: Pick<Parts, 'parser' | 'signal'>,
): Promise<ParsedDocument[]> {
  const paths = files.map(({ task }) => task.path);
  const hashes = await parser.hashes(paths, mostComparedBytes, signal);
  const documents: ParsedDocument[] = [];
  for (const [at, { key, task, known }] of files.entries()) {
    const hash = hashes[at];
    if (hash != null && hash === known.get(key)?.done)
      documents.push({ key, file: fileOf(task), hash, state: 'unchanged' });
    else documents.push(...(await parser.parse(task, signal)));
  }
  return documents;
}

export async function* freshRows(
  found: AsyncIterable<Found>,
  stages: Stages,
): AsyncGenerator<BareRow, void, undefined> {
  const { tally, origins, sightings } = stages;
  for await (const { task, documents, known } of found) {
    if (task.kind === 'unchanged') tally.unchanged(task.documents);
    if (task.kind === 'failed') {
      const { key: document, file, reason } = task.item;
      sightings.see(document);
      await setAside({ document, file, hash: '', state: 'failed', reason }, stages);
    }
    for (const document of documents) yield* rowsOf(document, known.get(document.key), stages);
    if (task.kind === 'parse') origins.end(task.key);
    if (task.kind === 'compare') for (const { key } of task.files) origins.end(key);
  }
}

/** Not those of an unchanged document, nor those that a killed run committed. */
async function* rowsOf(
  document: ParsedDocument,
  known: Known | undefined,
  stages: Stages,
): AsyncGenerator<BareRow, void, undefined> {
  const { tally, writer, origins, sightings, chunker, onWarning } = stages;
  const { key, hash, file } = document;
  sightings.see(key);
  const version = { document: key, hash };
  if (document.state === 'unchanged' || hash === known?.done) {
    tally.unchanged(1);
    origins.expect(version);
    origins.settle(version);
  } else if (document.state === 'parsed') {
    const committed = new Set(known?.committed);
    const rows = makeRows(document, chunkerName(chunker)).filter(
      ({ ordinal, chunk }) => ordinal === 0 || !committed.has(chunk),
    );
    origins.expect(version);
    writer.expect(rows);
    tally.parsed(document.chunks.length);
    for (const warning of document.warnings ?? []) onWarning?.(key, warning);
    yield* rows;
  } else {
    origins.fail(key, false);
    await setAside({ ...version, file, state: document.state, reason: document.reason }, stages);
  }
}

/** Into the report and into the index. */
export async function setAside(
  failure: FailureRow,
  { writer, tally }: Pick<Stages, 'writer' | 'tally'>,
): Promise<void> {
  tally.failed(failure);
  await writer.setAside(failure);
}
