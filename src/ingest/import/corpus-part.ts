/** A corpus: every row is a document of one passage, because its vector is that of all its text. */
import { chunkerName } from '../../documents/chunk.ts';
import type { ChunkerOptions, ParsedDocument, ParserPool } from '../../documents/types.ts';
import { RagError } from '../../errors.ts';
import { makeRows } from '../chunk-rows.ts';
import { concurrently } from '../concurrently.ts';
import { numberedSlices, type NumberedSlice } from './corpus-rows.ts';
import type { CorpusFile } from './find-vectors.ts';
import type { Document, Entry, Part } from './parts.ts';
import type { VectorFile } from './vector-file.ts';

interface Parsing {
  readonly parser: ParserPool;
  readonly chunker: ChunkerOptions;
}

/** Counts its rows, which is reading it once. @throws aborted */
export async function corpusPart(
  { path, key }: CorpusFile,
  vectors: VectorFile,
  { parser, chunker }: Parsing,
  signal: AbortSignal,
): Promise<Part> {
  const slices = await numberedSlices(path, signal);
  const read = async (slice: NumberedSlice, stop: AbortSignal): Promise<Entry[]> => {
    const { from, to, rows } = slice;
    const documents = await parser.parse({ kind: 'rows', path, corpus: key, from, to, whole: true }, stop);
    if (documents.length !== rows) throw changed(path);
    return documents.map((document) => entryOf(document, chunkerName(chunker)));
  };
  return {
    path,
    vectors,
    slices,
    read,
    documents: (stop) =>
      concurrently(slices, parser.threads + 1, async (slice) =>
        (await read(slice, stop)).map((entry, row) => documentOf(entry, slice.first + row)),
      ),
  };
}

function entryOf(document: ParsedDocument, chunker: string): Entry {
  const { key, file, hash, state } = document;
  if (state === 'unchanged') return 'repeated';
  if (state !== 'parsed') return { failure: { document: key, file, hash, state, reason: document.reason } };
  const [row] = makeRows(document, chunker);
  if (row === undefined) throw new RagError('bug', `Cannot import ${key}: it was parsed and has no passage`);
  return { row };
}

const documentOf = (entry: Entry, at: number): Document =>
  entry !== 'repeated' && 'row' in entry ? { rows: [entry.row], at, whole: true } : entry;

const changed = (path: string): RagError =>
  new RagError('bad-document', `Cannot import ${path}: it was changed meanwhile, it must stay as it is`);
