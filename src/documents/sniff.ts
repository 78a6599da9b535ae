import { extname } from 'node:path';
import { mostCharacters, type ParsedText, tooMuchText } from './block.ts';
import { cleanText } from './clean.ts';
import { isArchive, isOle } from './containers.ts';
import { decodeText } from './decode.ts';
import { sniffJson } from './json.ts';
import { looksLikeRows } from './rows.ts';
import { isSource } from './source.ts';

type TextKind = 'html' | 'markdown' | 'latex' | 'delimited' | 'source' | 'text';

export type Sniffed =
  | { readonly kind: 'pdf' }
  /** @param lines each a document */
  | { readonly kind: 'rows'; readonly lines: Buffer }
  /** Office documents and e-books. */
  | { readonly kind: 'archive' }
  /** Those of Office up to 2003. */
  | { readonly kind: 'ole' }
  | { readonly kind: TextKind; readonly text: string; readonly warning?: string | undefined }
  /** It could not be recognised without being read. */
  | { readonly kind: 'parsed'; readonly parsed: ParsedText }
  /** `name` is what a user calls it: "PNG", "RTF". */
  | { readonly kind: 'unsupported'; readonly name: string };

/**
 * What a file is, by its content. The name only decides between kinds of text, where content cannot: `# x` is a
 * heading in one file and a comment in another.
 *
 * Text is tried before magic numbers: a text that begins with "MZ" or "BM" is a text.
 *
 * @throws bad-document for a text that is too long to be read
 */
export async function sniff(bytes: Buffer, path: string): Promise<Sniffed> {
  const head = bytes.subarray(0, 1024).toString('latin1');
  if (/^(?:\u{ef}\u{bb}\u{bf})?\s*%PDF-/u.test(head)) return { kind: 'pdf' };
  if (isArchive(bytes)) return { kind: 'archive' };
  if (isOle(bytes)) return { kind: 'ole' };
  const named = textualFormat(head);
  if (named !== undefined) return { kind: 'unsupported', name: named };
  if (looksLikeRows(bytes)) return { kind: 'rows', lines: bytes };
  // Before any of it is decoded: no letter of a text takes more than three bytes for a unit of a string.
  const isHuge = bytes.length > 3 * mostCharacters && decodeText(bytes.subarray(0, 4096)) !== undefined;
  if (isHuge) throw tooMuchText();
  const decoded = decodeText(bytes);
  if (decoded === undefined) return { kind: 'unsupported', name: await binaryFormat(bytes) };
  const text = cleanText(decoded.text);
  const extension = extname(path).toLowerCase();
  return sniffJson(text) ?? { kind: kindOfText(text, extension), text, warning: decoded.warning };
}

/** Formats that are written in characters but are not to be read as text. */
function textualFormat(head: string): string | undefined {
  if (head.startsWith('{\\rtf')) return 'RTF';
  if (head.startsWith('%!PS')) return 'PostScript';
  if (/^\s*(?:<\?xml[^>]*>\s*)?<svg\b/iu.test(head)) return 'SVG';
  return undefined;
}

async function binaryFormat(bytes: Buffer): Promise<string> {
  const { fileTypeFromBuffer } = await import('file-type');
  // It also throws, on archives that are cut off.
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  return found?.ext.toUpperCase() ?? 'this binary format';
}

const htmlStart = /^<(?:!doctype\s+html|html|head|body)\b/iu;
const htmlFragment = /^\s*<(?:article|div|h[1-6]|main|meta|ol|p|section|table|title|ul)\b/iu;
const htmlNames = new Set(['.html', '.htm', '.xhtml', '.xht']);
const markdownNames = new Set(['.md', '.markdown', '.mdown', '.mkd', '.mdx', '.qmd', '.rmd']);
const latexNames = new Set(['.tex', '.ltx', '.latex']);
const delimitedNames = new Set(['.csv', '.tsv', '.tab']);

function kindOfText(text: string, extension: string): TextKind {
  const head = text.slice(0, 4096);
  if (htmlStart.test(afterProlog(head))) return 'html';
  // Markdown may begin with a tag, and HTML may be only a part of a page.
  if (markdownNames.has(extension)) return 'markdown';
  if (latexNames.has(extension) || /^\s*\\documentclass\b/mu.test(head)) return 'latex';
  if (delimitedNames.has(extension)) return 'delimited';
  if (isSource(extension)) return 'source';
  if (htmlFragment.test(head) || (htmlNames.has(extension) && /<[a-z]+[\s>]/iu.test(head))) return 'html';
  if (extension !== '' && extension !== '.txt') return 'text';
  if (isMarkdown(head)) return 'markdown';
  return isTabbed(head) ? 'delimited' : 'text';
}

/** What follows white space, an XML declaration and comments. By hand: as one pattern it took exponential time. */
function afterProlog(head: string): string {
  let rest = head.trimStart();
  for (const [opening, closing] of [
    ['<?xml', '?>'],
    ['<!--', '-->'],
  ] as const) {
    while (rest.startsWith(opening) && rest.includes(closing)) {
      rest = rest.slice(rest.indexOf(closing) + closing.length).trimStart();
    }
  }
  return rest;
}

/** A heading, and something else that only Markdown has. */
const isMarkdown = (head: string): boolean =>
  /^#{1,6} \S/mu.test(head) && /^(?:```|~~~|\|.*\|$)|\]\(|^#{2,6} \S/mu.test(head);

/** As many tabs in each of the first lines, inside of them. */
function isTabbed(head: string): boolean {
  const lines = head.split('\n').slice(0, 6);
  if (lines.length < 6) return false;
  const counts = lines.slice(0, 5).map((line) => line.trim().split('\t').length);
  return counts.every((count) => count > 1 && count === counts[0]);
}
