import { extname } from 'node:path';
import { cleanText } from './clean.ts';
import { isArchive, isOle } from './containers.ts';
import { decodeText } from './decode.ts';
import { looksLikeRows } from './rows.ts';

export type Sniffed =
  | { readonly kind: 'pdf' }
  | { readonly kind: 'rows' }
  /** Office documents and e-books. */
  | { readonly kind: 'archive' }
  /** Those of Office up to 2003. */
  | { readonly kind: 'ole' }
  | { readonly kind: 'html' | 'markdown' | 'text'; readonly text: string }
  /** `name` is what a user calls it: "DOCX", "PNG". */
  | { readonly kind: 'unsupported'; readonly name: string };

/**
 * What a file is, by its content. The name only decides between kinds of text, where content cannot: `# x` is a
 * heading in one file and a comment in another.
 *
 * Text is tried before magic numbers: a text that begins with "MZ" or "BM" is a text.
 */
export async function sniff(bytes: Buffer, path: string): Promise<Sniffed> {
  const head = bytes.subarray(0, 1024).toString('latin1');
  if (/^(?:\u{ef}\u{bb}\u{bf})?\s*%PDF-/u.test(head)) return { kind: 'pdf' };
  if (isArchive(bytes)) return { kind: 'archive' };
  if (isOle(bytes)) return { kind: 'ole' };
  const named = textualFormat(head);
  if (named !== undefined) return { kind: 'unsupported', name: named };
  if (looksLikeRows(bytes)) return { kind: 'rows' };
  const raw = decodeText(bytes);
  if (raw === undefined) return { kind: 'unsupported', name: await binaryFormat(bytes) };
  const text = cleanText(raw);
  return { kind: kindOfText(text, extname(path).toLowerCase()), text };
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

function kindOfText(text: string, extension: string): 'html' | 'markdown' | 'text' {
  const head = text.slice(0, 4096);
  if (htmlStart.test(afterProlog(head))) return 'html';
  // Markdown may begin with a tag, and HTML may be only a part of a page.
  if (markdownNames.has(extension)) return 'markdown';
  if (htmlFragment.test(head) || (htmlNames.has(extension) && /<[a-z]+[\s>]/iu.test(head))) return 'html';
  return (extension === '' || extension === '.txt') && isMarkdown(head) ? 'markdown' : 'text';
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
