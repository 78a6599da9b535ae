import { RagError } from '../errors.ts';
import { consolidate } from './consolidate/consolidate.ts';
import { corpusState } from './look/corpus.ts';
import { makeDense } from './search/dense.ts';
import { documents } from './look/documents.ts';
import { retrying } from './retrying.ts';
import { namingFailure } from './wire/failure.ts';
import { exportTo } from './export/export.ts';
import { filterSql } from './search/filter-sql.ts';
import { inspect } from './look/inspect.ts';
import { known } from './write/known.ts';
import { keepNear } from './search/near.ts';
import { passages } from './search/passages.ts';
import type { Operations } from './wire/protocol.ts';
import { claimRecord, readRecord } from './write/record.ts';
import { makeReplacedCheck } from './versions/replaced.ts';
import { searchText } from './search/search-text.ts';
import { selectNamed, selectUnmet } from './select.ts';
import { busyShards } from './consolidate/shard-owner.ts';
import { listTags } from './versions/tagged.ts';
import { makeTag, removeTag } from './versions/tags.ts';
import { keyOf } from './write/standing.ts';
import { keepStatistics } from './search/statistics.ts';
import type { Version } from './types.ts';
import { assertWriterName, indexFolder, type IndexFolder } from './tables.ts';
import { makeStoredVectors } from './write/vectors.ts';
import { keepView, type CurrentView, type View } from './view.ts';
import { verify } from './look/verify.ts';
import { newestVersion } from './versions/versions.ts';
import { makeWriter, type Writer } from './write/writer.ts';

/**
 * The store itself, inside its host. Writes go one after the other, so that a commit never meets another of
 * ours; reads run beside them.
 *
 * @param say takes a line for the log
 */
export function openIndex(root: string, say: (line: string) => void): Operations {
  const folder = indexFolder(root, say);
  let writer: Writer | undefined;
  const current = keepView(folder, () => writer?.own(), makeReplacedCheck(root));
  const inOrder = makeQueue();
  const write = <Out>(work: () => Promise<Out>): Promise<Out> => inOrder(() => namingFailure(root, work));
  const reading = makeReading(root, current);
  const vectors = makeStoredVectors(reading);
  const statistics = keepStatistics();
  const near = keepNear(root);
  const writing = (): Writer => writer ?? notWriting(root);
  /** Beside a consolidation of another run, which removes what is being read. */
  const newest = (): Promise<number> => retrying(root, () => newestVersion(folder));
  const saw = (version: number): void => writer?.saw(version);
  return {
    beginWriting: (encoder, name) =>
      write(async () => {
        assertWriterName(name);
        await claimRecord(root, encoder);
        writer = makeWriter(folder, encoder, name, await newest());
      }),
    vectorsOf: (hashes) => vectors.find(hashes),
    append: (packed) =>
      write(async () => {
        return appendRows(writing(), current, packed).finally(() => vectors.note(packed));
      }),
    recordFailures: (rows) => write(() => writing().recordFailures(rows)),
    ...makeSelections(folder, reading),
    remove: (documents) =>
      write(async () => {
        if (documents.length === 0) return;
        await writing().remove(documents, await newest());
        current.forget();
      }),
    consolidate: () => write(() => consolidateAll(folder, writer, current)),
    release: () =>
      write(async () => {
        await writer?.release();
        current.forget();
      }),
    known: (documents) => reading((view) => known(view, documents, writer?.own()?.name, saw)),
    corpusState: (corpus) => reading((view) => corpusState(view, corpus)),
    ...makeDense(root, near, reading),
    searchText: (texts, k, filter) =>
      reading(async (view) => {
        const { resident } = await near.of(view.main);
        return searchText(view, statistics, texts, { k, where: filterSql(filter), resident });
      }),
    passages: (chunks) =>
      reading(async (view) => passages(view, chunks, (await near.of(view.main)).resident())),
    version: () => retrying(root, () => current.version()),
    inspect: () => retrying(root, () => inspect(folder)),
    verify: () => retrying(root, () => verify(folder)),
    encoder: () => readRecord(root),
    writers: async () => (await busyShards(folder)).length,
    exportTo: (target, what) => retrying(root, () => exportTo(folder, target, what)),
    tag: (name) => write(() => makeTag(folder, name, () => new Date()).finally(() => current.forget())),
    tags: () => listTags(root),
    untag: (name) => write(() => removeTag(folder, name)),
  };
}

const makeSelections = (
  folder: IndexFolder,
  reading: ReturnType<typeof makeReading>,
): Pick<Operations, 'documents' | 'selectNamed' | 'selectUnmet'> => ({
  documents: (query) => reading((view) => documents(folder, view, query)),
  selectNamed: (names) => reading((view) => selectNamed(folder, view, names)),
  selectUnmet: (listing) => reading((view) => selectUnmet(folder, view, listing)),
});

/** What is read anew when a file is missing is the view too. */
function makeReading(
  root: string,
  current: CurrentView,
): <Out>(read: (view: View) => Promise<Out>) => Promise<Out> {
  return (read) =>
    retrying(root, async () => {
      try {
        return await read(await current.read());
      } catch (error) {
        current.forget();
        throw error;
      }
    });
}

function notWriting(root: string): never {
  throw new RagError('bug', `Cannot write into ${root}: beginWriting was not called, it comes first`);
}

async function appendRows(
  writer: Writer,
  current: CurrentView,
  packed: Parameters<Writer['append']>[0],
): Promise<Version[]> {
  if (packed.rows.length === 0) return [];
  const before = writer.own();
  const completed = await writer.append(packed);
  if (writer.own()?.name !== before?.name) current.forget();
  else await current.note(completed);
  const done = new Set(completed.map(keyOf));
  return packed.rows
    .filter((row) => row.ordinal === 0 && !done.has(keyOf(row)))
    .map(({ document, hash }) => ({ document, hash }));
}

/** Without a writer too: `index compact` has no encoder of its own. */
async function consolidateAll(
  folder: IndexFolder,
  writer: Writer | undefined,
  current: CurrentView,
): Promise<void> {
  const encoder = await readRecord(folder.root);
  if (encoder === null) return;
  writer?.leaveShards();
  try {
    await consolidate(folder, encoder);
  } finally {
    current.forget();
  }
}

function makeQueue(): <Out>(work: () => Promise<Out>) => Promise<Out> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
