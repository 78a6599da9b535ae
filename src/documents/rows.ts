import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { chunkBlocks } from './chunk.ts';
import { cleanText } from './clean.ts';
import { rowKey, rowPlaceKey } from './failed.ts';
import { rowLabels } from './labels.ts';
import { paragraphs } from './text.ts';
import type { ChunkerOptions, ParsedDocument } from './types.ts';
import { analyseChunks } from './words.ts';

/**
 * JSON Lines corpora, by their keys: Search-R1 and FlashRAG `{id, contents}` with the title in the first line
 * of `contents`, MedRAG `{id, title, content}`, BEIR `{_id, title, text}`.
 *
 * A row's id, as text, is what `/retrieve` answers as `document.id` and what qrels name. Its key is
 * `<corpus>#<id>`, because two corpora of one index may number their rows alike.
 */
export interface Row {
  readonly id: string;
  readonly title: string | undefined;
  readonly text: string;
  /** Of its other fields (see labels.ts). */
  readonly labels: readonly string[];
}

interface RowsSource {
  /** Key of the corpus file. */
  readonly corpus: string;
  readonly file: string;
  /** Where `bytes` begins in the file. */
  readonly from: number;
}

type Parsed = Extract<ParsedDocument, { state: 'parsed' }>;

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

/** One of the layouts above. */
export const isRow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof rowOfFields({ ...value }) === 'object';

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

/**
 * One document per line that is not blank.
 *
 * Of two rows with one id the second fails where both stand in these bytes. Further apart (a slice is 1 MiB)
 * that is not seen, because remembering every id would take memory that grows with the corpus: then the one
 * that is committed last is shown, and both are embedded again by every run.
 */
export function parseRows(bytes: Buffer, source: RowsSource, chunker: ChunkerOptions): ParsedDocument[] {
  const documents: ParsedDocument[] = [];
  const hashes = new Map<string, string>();
  for (const { line, at } of splitLines(bytes)) {
    if (isBlank(line)) continue;
    const document = parseRow(line, source.from + at, source, chunker);
    const before = hashes.get(document.key);
    if (document.state !== 'parsed') documents.push(document);
    else if (before !== undefined) documents.push(repeated(document, before, source.from + at, source));
    else {
      hashes.set(document.key, document.hash);
      documents.push(document);
    }
  }
  return documents;
}

/** A row whose id stood before. @param before hash of that row: the same row once more is nothing new */
function repeated(row: Parsed, before: string, at: number, { corpus, file }: RowsSource): ParsedDocument {
  const { key, hash: digest } = row;
  if (digest === before) return { key, file, hash: digest, state: 'unchanged' };
  const reason = `row at byte ${at}: the id ${shortened(row.id)} stands twice in ${corpus}`;
  return { key: rowPlaceKey(corpus, at), file, hash: digest, state: 'failed', reason };
}

function parseRow(line: Buffer, at: number, source: RowsSource, chunker: ChunkerOptions): ParsedDocument {
  const row = rowOf(line);
  const base = { file: source.file, hash: hash('sha256', line) };
  if (typeof row === 'string') {
    const key = rowPlaceKey(source.corpus, at);
    return { ...base, key, state: 'failed', reason: `row at byte ${at}: ${row}` };
  }
  const key = rowKey(source.corpus, row.id);
  const title = cleanText(row.title ?? '').trim();
  const body = cleanText(row.text);
  const chunks = chunkBlocks(paragraphs(body.trim() === '' ? title : body), chunker);
  if (chunks.length === 0) {
    return { ...base, key, state: 'failed', reason: `row at byte ${at}: empty` };
  }
  const shown = title === '' ? row.id : title;
  const { id, labels } = row;
  return { ...base, key, state: 'parsed', id, title: shown, labels, ...analyseChunks(shown, chunks) };
}

/** The row, or why it is none. */
function rowOf(line: Buffer): Row | string {
  if (!isUtf8(line)) return 'not UTF-8';
  let value: unknown;
  try {
    value = parseExactly(line.toString('utf8').replace(/^\ufeff/u, ''));
  } catch (error) {
    return `not JSON: ${shortened(messageOf(error))}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  return rowOfFields(value as Readonly<Record<string, unknown>>);
}

/** Ids of 17 digits and more lose their last ones as numbers, and two rows become one: then they are read as written. */
function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const id = fields['id'] ?? fields['_id'];
  if (typeof id !== 'number' || Number.isSafeInteger(id)) return value;
  return JSON.parse(text, asWritten);
}

/** The third argument is not in the library's types yet. */
function asWritten(
  key: string,
  value: unknown,
  ...[context]: readonly { readonly source?: string }[]
): unknown {
  return (key === 'id' || key === '_id') && typeof value === 'number' ? (context?.source ?? value) : value;
}

function rowOfFields(fields: Readonly<Record<string, unknown>>): Row | string {
  const id = fields['id'] ?? fields['_id'];
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '')
    return 'no id: "id" or "_id" is wanted';
  const title = stringOf(fields['title']);
  const labels = rowLabels(fields);
  const text = stringOf(fields['content']) ?? stringOf(fields['text']);
  if (text !== undefined) return { id: String(id), title, text, labels };
  const contents = stringOf(fields['contents']);
  if (contents === undefined) return 'no text: "contents", "content" or "text" is wanted';
  return { id: String(id), ...titleAndText(contents, title), labels };
}

/** Search-R1: `"title"\ntext`. A single line is text, and a title given beside it is not repeated. */
function titleAndText(contents: string, title: string | undefined): Pick<Row, 'title' | 'text'> {
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

/** The engine's messages quote the text, and an id may be anything. */
const shortened = (message: string): string => cleanText(message).replaceAll('\n', ' ').slice(0, 120);

export const isBlank = (line: Buffer): boolean => line.length < 64 && line.toString('latin1').trim() === '';
