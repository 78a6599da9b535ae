/** A parsed document as the rows that the store will hold. Pure. */
import { createHash } from 'node:crypto';

import type { ParsedDocument } from '../documents/types.ts';
import type { ChunkRow } from '../store/types.ts';

type Parsed = Extract<ParsedDocument, { state: 'parsed' }>;

/** A row that still lacks its vector. */
export type BareRow = Omit<ChunkRow, 'vector'>;

/**
 * 32 hex digits over document, content, chunker and position: the same chunk has the same id in every run, so
 * that storing it twice stores it once.
 */
function chunkId(document: string, hash: string, chunker: string, ordinal: number): string {
  return createHash('sha256')
    .update(`${document}\0${hash}\0${chunker}\0${ordinal}`)
    .digest('hex')
    .slice(0, 32);
}

export const makeRows = (document: Parsed, chunker: string): BareRow[] =>
  document.chunks.map((chunk) => ({
    chunk: chunkId(document.key, document.hash, chunker, chunk.ordinal),
    document: document.key,
    id: document.id,
    title: document.title,
    file: document.file,
    hash: document.hash,
    ordinal: chunk.ordinal,
    of: document.chunks.length,
    page: chunk.page,
    pageEnd: chunk.pageEnd,
    start: chunk.start,
    end: chunk.end,
    headings: chunk.headings,
    text: chunk.text,
    words: chunk.words,
    length: chunk.length,
    language: document.language,
    labels: document.labels,
  }));
