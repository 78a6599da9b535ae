/* oxlint-disable no-underscore-dangle -- PDFium's own names */
import { RagError } from '../errors.ts';
import { type Block, openCount, type ParsedText } from './block.ts';
import { cleanText } from './clean.ts';
import { type Pdfium, withPdfium } from './pdfium.ts';
import { paragraphs } from './text.ts';

/** One block per paragraph, with its page. No block at all means that no page holds any text. @throws bad-document */
export const parsePdf = (bytes: Uint8Array): Promise<ParsedText> =>
  withPdfium(bytes.length, (lib) =>
    withDocument(lib, bytes, (document) => ({
      title: readTitle(lib, document),
      blocks: readPages(lib, document),
    })),
  );

const reasons = new Map([
  [2, 'the PDF cannot be opened'],
  [3, 'the PDF is damaged or cut off'],
  [4, 'the PDF is encrypted, it needs a password'],
  [5, 'the PDF is encrypted in a way that is not supported'],
]);

function withDocument<Result>(lib: Pdfium, bytes: Uint8Array, use: (document: number) => Result): Result {
  return withBuffer(lib, bytes.length, (buffer) => {
    lib.HEAPU8.set(bytes, buffer);
    const document = lib._FPDF_LoadMemDocument(buffer, bytes.length, 0);
    if (document === 0) {
      const reason = reasons.get(lib._FPDF_GetLastError()) ?? 'the PDF cannot be read';
      throw new RagError('bad-document', reason);
    }
    try {
      return use(document);
    } finally {
      lib._FPDF_CloseDocument(document);
    }
  });
}

function withBuffer<Result>(lib: Pdfium, bytes: number, use: (buffer: number) => Result): Result {
  const buffer = lib.wasmExports.malloc(bytes);
  if (buffer === 0) throw new RagError('bad-document', 'the PDF needs more memory than there is');
  try {
    return use(buffer);
  } finally {
    lib.wasmExports.free(buffer);
  }
}

function readPages(lib: Pdfium, document: number): Block[] {
  const blocks: Block[] = [];
  const pages = lib._FPDF_GetPageCount(document);
  const count = openCount();
  for (let page = 1; page <= pages; page++) {
    const text = readPage(lib, document, page - 1);
    count(text);
    for (const block of paragraphs(text)) blocks.push({ ...block, page });
  }
  return blocks;
}

/** A page that cannot be loaded has no text: one damaged page does not cost the others. */
function readPage(lib: Pdfium, document: number, index: number): string {
  const page = lib._FPDF_LoadPage(document, index);
  if (page === 0) return '';
  const textPage = lib._FPDFText_LoadPage(page);
  try {
    const count = textPage === 0 ? 0 : lib._FPDFText_CountChars(textPage);
    if (count <= 0) return '';
    return withBuffer(lib, (count + 1) * 2, (buffer) => {
      const written = lib._FPDFText_GetText(textPage, 0, count, buffer);
      return tidy(decodeUtf16(lib, buffer, (written - 1) * 2));
    });
  } finally {
    if (textPage !== 0) lib._FPDFText_ClosePage(textPage);
    lib._FPDF_ClosePage(page);
  }
}

/** PDFium marks a hyphen at the end of a line as U+FFFE: the word goes on. */
const hyphens = /\ufffe(?:\r\n)?/gu;
const tidy = (raw: string): string =>
  cleanText(raw.replace(hyphens, ''))
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

const decodeUtf16 = (lib: Pdfium, buffer: number, bytes: number): string =>
  new TextDecoder('utf-16le').decode(lib.HEAPU8.subarray(buffer, buffer + Math.max(0, bytes)));

function readTitle(lib: Pdfium, document: number): string | undefined {
  return withBuffer(lib, 'Title\0'.length, (tag) => {
    lib.HEAPU8.set(Buffer.from('Title\0'), tag);
    const bytes = lib._FPDF_GetMetaText(document, tag, 0, 0);
    if (bytes <= 2) return undefined;
    return withBuffer(lib, bytes, (buffer) => {
      lib._FPDF_GetMetaText(document, tag, buffer, bytes);
      const title = cleanText(decodeUtf16(lib, buffer, bytes - 2)).trim();
      return title === '' || title.toLowerCase() === 'untitled' ? undefined : title;
    });
  });
}
