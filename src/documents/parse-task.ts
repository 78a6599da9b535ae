import { hash } from 'node:crypto';
import { basename } from 'node:path';
import { messageOf } from '../errors.ts';
import { mostCharacters, type ParsedText, tooMuchText } from './block.ts';
import { chunkBlocks } from './chunk.ts';
import { cleanLine } from './clean.ts';
import { refuseOle } from './containers.ts';
import { parseDelimited } from './delimited.ts';
import { failedTask, fileOf } from './failed.ts';
import { parseHtml } from './html.ts';
import { fileLabels } from './labels.ts';
import { parseLatex } from './latex.ts';
import { parseMarkdown } from './markdown.ts';
import type { ForOutside, OutsideOutput } from './outside.ts';
import { readSlice, readWhole } from './read.ts';
import { parseRows } from './rows.ts';
import { type Sniffed, sniff } from './sniff.ts';
import { parseSource } from './source.ts';
import { parseText } from './text.ts';
import type { ChunkerOptions, ParsedDocument, ParseTask } from './types.ts';
import { analyseChunks } from './words.ts';

/** What the pool sends to a thread. */
export interface ParseOrder {
  readonly task: ParseTask;
  readonly chunker: ChunkerOptions;
  readonly maxFileBytes: number;
  /** That there is an outside parser for what it reads better, or what it has written of this file. */
  readonly outside?: 'there is one' | OutsideOutput;
}

type FileTask = Extract<ParseTask, { kind: 'file' }>;
type RowsTask = Extract<ParseTask, { kind: 'rows' }>;

type OwnOrder = ParseOrder & { readonly outside?: OutsideOutput };

/** Runs in a parsing thread. Whatever a document does to its parser becomes its state. */
export default async function parseTask(order: OwnOrder): Promise<ParsedDocument[]>;
export default async function parseTask(order: ParseOrder): Promise<ParsedDocument[] | ForOutside>;
export default async function parseTask(order: ParseOrder): Promise<ParsedDocument[] | ForOutside> {
  const { task, outside } = order;
  if (task.kind === 'rows') return parseSlice(task, order);
  return typeof outside === 'object' ? readOutside(task, outside, order) : parseFile(task, order);
}

const inOnePiece: ChunkerOptions = { targetTokens: Infinity, overlapTokens: 0 };

function parseSlice(task: RowsTask, { chunker, maxFileBytes }: ParseOrder): ParsedDocument[] {
  const { path, corpus, from, to, whole = false } = task;
  try {
    const bytes = readSlice(path, from, to, maxFileBytes);
    return parseRows(bytes, { corpus, file: fileOf(task), from }, whole ? inOnePiece : chunker);
  } catch (error) {
    return [failedTask(task, messageOf(error))];
  }
}

async function parseFile(task: FileTask, order: ParseOrder): Promise<ParsedDocument[] | ForOutside> {
  const { path, key, known } = task;
  const file = fileOf(task);
  const { chunker, maxFileBytes, outside } = order;
  let digest = '';
  try {
    const bytes = readWhole(path, maxFileBytes);
    digest = hash('sha256', bytes);
    const base = { key, file, hash: digest };
    if (digest === known) return [{ ...base, state: 'unchanged' }];
    if (bytes.length === 0) return [failedTask(task, 'empty', digest)];
    const sniffed = await sniff(bytes, file);
    if (sniffed.kind === 'rows') return parseRows(sniffed.lines, { corpus: key, file, from: 0 }, chunker);
    const suffix = outside === undefined ? undefined : suffixForOutside(sniffed);
    if (suffix !== undefined) return { kind: 'for-outside', hash: digest, suffix };
    return [await parseBytes(bytes, sniffed, base, { chunker, title: task.title })];
  } catch (error) {
    return [failedTask(task, messageOf(error), digest)];
  }
}

type Base = Pick<ParsedDocument, 'key' | 'file' | 'hash'>;

interface Making {
  readonly chunker: ChunkerOptions;
  /** Instead of the document's own. */
  readonly title: string | undefined;
}

async function parseBytes(
  bytes: Buffer,
  sniffed: Exclude<Sniffed, { kind: 'rows' }>,
  base: Base,
  making: Making,
): Promise<ParsedDocument> {
  if (sniffed.kind === 'unsupported')
    return { ...base, state: 'failed', reason: `${sniffed.name} is not supported yet` };
  if (sniffed.kind === 'ole') throw refuseOle(bytes);
  const parsed = await parseKind(bytes, sniffed);
  const isPdf = sniffed.kind === 'pdf';
  return (
    finish(parsed, base, making) ??
    (isPdf || parsed.hasPictures === true
      ? {
          ...base,
          state: 'needs_ocr',
          reason: isPdf ? 'the PDF has no text on any page' : 'it holds pictures and no text',
        }
      : { ...base, state: 'failed', reason: 'it holds no text' })
  );
}

/** Undefined when there is no text. @throws bad-document when there is too much */
function finish(
  { title, blocks, language, warnings = [] }: ParsedText,
  base: Base,
  { chunker, title: called }: Making,
): ParsedDocument | undefined {
  const characters = blocks.reduce((sum, { text }) => sum + text.length, 0);
  if (characters > mostCharacters) throw tooMuchText();
  const chunks = chunkBlocks(blocks, chunker);
  if (chunks.length === 0) return undefined;
  const shown = cleanLine(called ?? '') || cleanLine(title ?? '') || cleanLine(basename(base.file));
  const text = analyseChunks(shown, chunks, language);
  const labels = fileLabels(base.file);
  const parsed = { ...base, state: 'parsed', id: base.key, title: shown, labels, ...text } as const;
  return warnings.length > 0 ? { ...parsed, warnings } : parsed;
}

/** Of PDFs, and of pictures; undefined for what our own readers read. */
function suffixForOutside(sniffed: Sniffed): string | undefined {
  if (sniffed.kind === 'pdf') return 'pdf';
  const isPicture =
    sniffed.kind === 'unsupported' && /^(?:PNG|JPG|TIF|WEBP|BMP|GIF|JP2)$/u.test(sniffed.name);
  return isPicture ? sniffed.name.toLowerCase() : undefined;
}

async function readOutside(
  task: FileTask,
  { folder, hash: digest }: OutsideOutput,
  { chunker, maxFileBytes }: ParseOrder,
): Promise<ParsedDocument[]> {
  try {
    const { readOutsideOutput } = await import('./outside-output.ts');
    const base = { key: task.key, file: fileOf(task), hash: digest };
    const making = { chunker, title: task.title };
    const document = finish(readOutsideOutput(folder, maxFileBytes), base, making);
    return [document ?? { ...base, state: 'needs_ocr', reason: 'RAG_PARSER found no text in it' }];
  } catch (error) {
    return [failedTask(task, messageOf(error), digest)];
  }
}

type Readable = Exclude<Sniffed, { kind: 'rows' } | { kind: 'ole' } | { kind: 'unsupported' }>;

/** Threads that meet no PDF load no WASM, and those that meet no archive nothing that reads one. */
async function parseKind(bytes: Buffer, sniffed: Readable): Promise<ParsedText> {
  if (sniffed.kind === 'pdf') return (await import('./pdf.ts')).parsePdf(bytes);
  if (sniffed.kind === 'archive') return (await import('./archive-document.ts')).parseArchive(bytes);
  if (sniffed.kind === 'parsed') return sniffed.parsed;
  const parsed = textParsers[sniffed.kind](sniffed.text);
  return sniffed.warning === undefined ? parsed : { ...parsed, warnings: [sniffed.warning] };
}

const textParsers = {
  html: (text: string) => parseHtml(text, text.trimStart().startsWith('<?xml') ? 'xhtml' : 'html'),
  markdown: parseMarkdown,
  latex: parseLatex,
  delimited: parseDelimited,
  source: parseSource,
  text: parseText,
};
