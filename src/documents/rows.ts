import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { chunkBlocks } from './chunk.ts';
import { cleanText } from './clean.ts';
import { rowKey } from './failed.ts';
import { paragraphs } from './text.ts';
import type { ChunkerOptions, ParsedDocument } from './types.ts';

/**
 * JSON Lines corpora, by their keys: Search-R1 and FlashRAG `{id, contents}` with the title in the first line
 * of `contents`, MedRAG `{id, title, content}`, BEIR `{_id, title, text}`.
 *
 * The key of a row's document is its id as text, with nothing before it: it is what `/retrieve` answers as
 * `document.id` and what qrels name. That ids are unique across the corpora of one index is the corpora's
 * promise (MedRAG's begin with the name of their file). A row without an id is `<corpus>@<byte offset>`.
 */
export interface Row {
  readonly id: string;
  readonly title: string | undefined;
  readonly text: string;
}

interface RowsSource {
  /** Key of the corpus file. */
  readonly corpus: string;
  readonly file: string;
  /** Where `bytes` begins in the file. */
  readonly from: number;
}

const lineFeed = 0x0a;

/** Lines end with `\n` and nothing else: rows with U+2028 and NEL inside exist. */
function* splitLines(bytes: Buffer): Generator<{ readonly line: Buffer; readonly at: number }> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(lineFeed, at);
    const next = end < 0 ? bytes.length : end + 1;
    yield { line: bytes.subarray(at, end < 0 ? next : end), at };
    at = next;
  }
}

const startsWithBrace = /^(?:\u{ef}\u{bb}\u{bf})?\s*\{/u;
/** Of so many lines one must be a good row: a bad first row does not hide a corpus. */
const triedLines = 20;
const longestFirstLine = 64 * 1024;

/** Whether a file is a corpus. @param head its first 64 KiB or more */
export function looksLikeRows(head: Buffer): boolean {
  if (!startsWithBrace.test(head.subarray(0, 256).toString('latin1'))) return false;
  let tried = 0;
  for (const { line, at } of splitLines(head.subarray(0, longestFirstLine))) {
    if (typeof rowOf(line) === 'object') return true;
    const isCutOff = at + line.length === longestFirstLine;
    if (at === 0 && isCutOff) return /"_?id"\s*:/u.test(line.toString('latin1'));
    if (++tried === triedLines) break;
  }
  return false;
}

/** One document per line that is not blank. */
export function parseRows(bytes: Buffer, source: RowsSource, chunker: ChunkerOptions): ParsedDocument[] {
  const documents: ParsedDocument[] = [];
  for (const { line, at } of splitLines(bytes)) {
    if (!isBlank(line)) documents.push(parseRow(line, source.from + at, source, chunker));
  }
  return documents;
}

function parseRow(line: Buffer, at: number, source: RowsSource, chunker: ChunkerOptions): ParsedDocument {
  const row = rowOf(line);
  const base = { file: source.file, hash: hash('sha256', line) };
  if (typeof row === 'string') {
    return { ...base, key: rowKey(source.corpus, at), state: 'failed', reason: `row at byte ${at}: ${row}` };
  }
  const title = cleanText(row.title ?? '').trim();
  const body = cleanText(row.text);
  const chunks = chunkBlocks(paragraphs(body.trim() === '' ? title : body), chunker);
  if (chunks.length === 0) {
    return { ...base, key: row.id, state: 'failed', reason: `row at byte ${at}: empty` };
  }
  return { ...base, key: row.id, state: 'parsed', title: title === '' ? row.id : title, chunks };
}

/** The row, or why it is none. */
function rowOf(line: Buffer): Row | string {
  if (!isUtf8(line)) return 'not UTF-8';
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8').replace(/^\ufeff/u, ''));
  } catch (error) {
    return `not JSON: ${shortened(messageOf(error))}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  return rowOfFields(value as Readonly<Record<string, unknown>>);
}

function rowOfFields(fields: Readonly<Record<string, unknown>>): Row | string {
  const id = fields['id'] ?? fields['_id'];
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '')
    return 'no id: "id" or "_id" is wanted';
  const title = stringOf(fields['title']);
  const text = stringOf(fields['content']) ?? stringOf(fields['text']);
  if (text !== undefined) return { id: String(id), title, text };
  const contents = stringOf(fields['contents']);
  if (contents === undefined) return 'no text: "contents", "content" or "text" is wanted';
  return { id: String(id), ...titleAndText(contents, title) };
}

/** Search-R1: `"title"\ntext`. A single line is text, and a title given beside it is not repeated. */
function titleAndText(contents: string, title: string | undefined): Omit<Row, 'id'> {
  const end = contents.indexOf('\n');
  if (end < 0) return { title, text: contents };
  const first = contents
    .slice(0, end)
    .trim()
    .replace(/^"(.*)"$/u, '$1');
  if (title !== undefined && title !== first) return { title, text: contents };
  return { title: first, text: contents.slice(end + 1) };
}

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The engine's message quotes the text. */
const shortened = (message: string): string => cleanText(message).replaceAll('\n', ' ').slice(0, 120);

const isBlank = (line: Buffer): boolean => line.length < 64 && line.toString('latin1').trim() === '';
