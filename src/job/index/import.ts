/** One import of vectors from its first look at the files to the merged index. */
import { RagError } from '../../errors.ts';
import { compare, type Comparison } from '../../ingest/import/compare.ts';
import { corpusPart } from '../../ingest/import/corpus-part.ts';
import { exportedPart, exportedVectors, readManifest } from '../../ingest/import/exported-part.ts';
import { findVectors, type CorpusFile } from '../../ingest/import/find-vectors.ts';
import { importParts } from '../../ingest/import/import.ts';
import { rowsOf, type Part } from '../../ingest/import/parts.ts';
import { openVectors, type VectorFile } from '../../ingest/import/vector-file.ts';
import { fileState } from '../../ingest/file-state.ts';
import { listInputs } from '../../ingest/listing.ts';
import { isNamedRows } from '../../ingest/slices.ts';
import type { EncoderRecord } from '../../store/types.ts';
import type { IngestProgress, IngestReport } from '../../work.ts';
import { consolidate, type IngestRoom } from './ingest.ts';
import { keepYoungHeap } from './young-heap.ts';

export interface ImportRequest {
  /** Files and folders of a corpus, or one folder that `index export` wrote. */
  readonly inputs: readonly string[];
  /** See `findVectors`. */
  readonly vectors: string | undefined;
  /** Of vectors that do not say it; default: as many as the encoder gives. */
  readonly dimensions: number | undefined;
  readonly onProgress?: (progress: IngestProgress) => void;
  readonly onCompared?: (comparison: Comparison) => void;
  /** Aborting it drains: what was read is committed. */
  readonly signal: AbortSignal;
}

export type ImportVectors = (request: ImportRequest) => Promise<IngestReport>;

/** Can be killed and repeated at any point: what is in the index is not read from the vectors again. */
export const makeImport =
  (room: IngestRoom): ImportVectors =>
  async (request) => {
    const { signal, onProgress } = request;
    const { store, embed } = room;
    if (embed === undefined) throw noEncoder();
    keepYoungHeap();
    const encoder = await room.encoderInForce(signal);
    const parts = await openParts(request, encoder, room);
    for (const part of parts) checkRows(part);
    request.onCompared?.(await compare(parts, embed, signal));
    await room.writing.begin(signal);
    const report = await importParts(parts, { store, encoder, onProgress, signal });
    if (report.complete) await consolidate(signal, room);
    return report;
  };

async function openParts(
  { inputs, vectors, dimensions, signal }: ImportRequest,
  encoder: EncoderRecord,
  { parser, chunker }: Pick<IngestRoom, 'parser' | 'chunker'>,
): Promise<Part[]> {
  const open = async (path: string): Promise<VectorFile> => {
    const file = await openVectors(path, dimensions ?? encoder.dimensions);
    checkDimensions(file, encoder, dimensions);
    return file;
  };
  const [folder = ''] = inputs;
  const manifest = inputs.length === 1 ? await readManifest(folder) : undefined;
  if (manifest !== undefined) {
    checkChunker(folder, manifest.encoder, encoder);
    return [await exportedPart(folder, await open(vectors ?? exportedVectors(folder)), signal)];
  }
  const pairs = await findVectors(await corpusFiles(inputs, signal), vectors);
  const parts: Part[] = [];
  for (const pair of pairs)
    parts.push(await corpusPart(pair.corpus, await open(pair.vectors), { parser, chunker }, signal));
  return parts;
}

/** JSON Lines with something in them: MedRAG's corpora have empty parts, which have no vectors. */
async function corpusFiles(inputs: readonly string[], signal: AbortSignal): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for await (const item of listInputs({ inputs }, signal)) {
    if (item.kind === 'failed') throw noInput(item.file, item.reason);
    if (isNamedRows(item.path) && ((await fileState(item.path))?.size ?? 1) > 0) files.push(item);
  }
  if (files.length === 0) throw noInput(inputs.join(', '), 'no JSON Lines are in it');
  return files;
}

const noEncoder = (): RagError =>
  new RagError(
    'usage',
    'Cannot import vectors: RAG_RETRIEVER=bm25 has no encoder, the one that made them is wanted',
    {
      hint: 'RAG_RETRIEVER=medcpt   # or e5, contriever, specter, ollama',
    },
  );

const noInput = (path: string, reason: string): RagError =>
  new RagError('no-input', `Cannot import ${path}: ${reason}, a corpus (.jsonl) is wanted`, {
    hint: 'node dist/supervisor.js index import corpus.jsonl --vectors e5_Flat.index',
  });

function checkDimensions(
  { path, head }: VectorFile,
  { model, dimensions }: EncoderRecord,
  given: number | undefined,
): void {
  if (given !== undefined && head.dimensions !== given) {
    throw new RagError(
      'usage',
      `Cannot import ${path}: it has ${head.dimensions} dimensions, --dimensions says ${given}`,
      {
        hint: 'leave --dimensions out: only a memmap does not say how many it has',
      },
    );
  }
  if (head.dimensions === dimensions) return;
  throw new RagError(
    'index-mismatch',
    `Cannot import ${path}: it has ${head.dimensions} dimensions, ${model} gives ${dimensions}`,
    {
      hint: `RAG_EMBED_DIMENSIONS=${head.dimensions}   # or the encoder that made them: RAG_RETRIEVER, OLLAMA_EMBED_MODEL`,
    },
  );
}

/** A row that is one too many or too few: every later passage would get its neighbour's vector. */
function checkRows(part: Part): void {
  const rows = rowsOf(part);
  const { head, path } = part.vectors;
  if (rows === head.rows) return;
  throw new RagError(
    'bad-document',
    `Cannot import ${path}: it has ${head.rows} rows, ${part.path} has ${rows}, one for each is wanted`,
    { hint: `wc -l ${part.path}   # vectors and corpus must be of the same making` },
  );
}

function checkChunker(folder: string, made: EncoderRecord, inForce: EncoderRecord): void {
  if (made.chunker === inForce.chunker) return;
  throw new RagError(
    'index-mismatch',
    `Cannot import ${folder}: its passages were made by the chunker ${made.chunker}, in force is ${inForce.chunker}`,
    { hint: 'set RAG_CHUNK_TOKENS, RAG_CHUNK_OVERLAP and RAG_PARSER as they were' },
  );
}
