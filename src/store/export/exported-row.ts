/** A passage as a line of an export, and back. FlashRAG reads it too: `id` and `contents` are what it wants. Pure. */
import { z } from 'zod';
import { analyse } from '../../words/analyse.ts';
import type { StoredRow } from '../write/rows.ts';
import type { ChunkRow } from '../types.ts';

const count = z.int().min(0);
const page = z.int().min(1).nullable();

const lineSchema = z.object({
  /** Of the passage, unique. */
  id: z.string().min(1),
  /** Key of its document, and what `/retrieve` shows of it. */
  document: z.string().min(1),
  document_id: z.string(),
  title: z.string(),
  /** Title, line feed, text. */
  contents: z.string(),
  file: z.string(),
  page,
  page_end: page,
  start: count,
  end: count,
  headings: z.array(z.string()),
  hash: z.string(),
  ordinal: count,
  /** Passages of the document. */
  of: z.int().min(1),
  language: z.string(),
  /** `name=value` each. */
  labels: z.array(z.string()),
});

/** What `exportedLine` reads; the vector stands in a file of its own. */
export const exportedColumns = [
  'chunk_id',
  'document',
  'id',
  'hash',
  'ordinal',
  'chunks',
  'title',
  'file',
  'page',
  'page_end',
  'start_at',
  'end_at',
  'headings',
  'contents',
  'language',
  'labels',
] as const;

export function exportedLine(row: StoredRow): string {
  const line: z.output<typeof lineSchema> = {
    id: String(row['chunk_id']),
    document: String(row['document']),
    document_id: String(row['id']),
    title: String(row['title']),
    contents: String(row['contents']),
    file: String(row['file']),
    page: Number(row['page']) || null,
    page_end: Number(row['page_end']) || null,
    start: Number(row['start_at']),
    end: Number(row['end_at']),
    headings: JSON.parse(String(row['headings'])) as string[],
    hash: String(row['hash']),
    ordinal: Number(row['ordinal']),
    of: Number(row['chunks']),
    language: String(row['language']),
    labels: [...(row['labels'] as Iterable<string>)],
  };
  return `${JSON.stringify(line)}\n`;
}

/** Undefined for what is no line of an export. Words are made anew: an older export may have others. */
export function rowOfExport(line: string): Omit<ChunkRow, 'vector'> | undefined {
  const parsed = lineSchema.safeParse(jsonOf(line)).data;
  if (parsed === undefined) return undefined;
  const { id, document_id, page_end, contents, ...same } = parsed;
  return {
    ...same,
    chunk: id,
    id: document_id,
    pageEnd: page_end,
    text: contents.slice(same.title.length + 1),
    ...analyse(contents, same.language),
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
