/** Markdown as a web page and as a PDF, the same bytes on every machine. */
import { marked, type Token, type Tokens } from 'marked';
import Pdf from 'pdfkit';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeHtml = (text: string): string => text.replaceAll(/[&<>]/g, (sign) => escapes[sign] ?? sign);

export const titleOf = (markdown: string): string => /^#\s+(.*)$/m.exec(markdown)?.[1] ?? 'Untitled';

export function makeHtml(markdown: string): Buffer {
  const head = `<meta charset="utf-8">\n<title>${escapeHtml(titleOf(markdown))}</title>`;
  const body = marked.parse(markdown, { async: false });
  return Buffer.from(
    `<!doctype html>\n<html lang="en">\n<head>\n${head}\n</head>\n<body>\n${body}</body>\n</html>\n`,
  );
}

/**
 * A4 pages with numbers at their feet. Nothing is compressed, and the date, from which the file's ID is made,
 * is fixed: deflate and the clock would make other bytes.
 */
export async function makePdf(markdown: string): Promise<Buffer> {
  const info = { Title: titleOf(markdown), CreationDate: new Date('2026-01-01T00:00:00Z') };
  const pdf = new Pdf({ size: 'A4', margin: 64, compress: false, bufferPages: true, info });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => pdf.on('end', resolve));
  for (const token of marked.lexer(markdown)) drawBlock(pdf, token);
  numberPages(pdf);
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}

function drawBlock(pdf: PDFKit.PDFDocument, token: Token): void {
  const write = (font: string, size: number, text: string, indent = 0): void => {
    pdf.font(font).fontSize(size).text(toLatin(text), { indent, lineGap: 2 }).moveDown(0.6);
  };
  switch (token.type) {
    case 'heading':
      return write('Helvetica-Bold', 20 - 2 * (token as Tokens.Heading).depth, plainText(token));
    case 'code':
      return write('Courier', 8.5, (token as Tokens.Code).text);
    case 'list': {
      const { items, ordered } = token as Tokens.List;
      const lines = items.map((item, at) => `${ordered ? `${at + 1}.` : '-'} ${plainText(item)}`);
      return write('Helvetica', 10.5, lines.join('\n'));
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const lines = [header, ...rows].map((row) => row.map(plainText).join(' | '));
      return write('Helvetica', 9.5, lines.join('\n'));
    }
    case 'space':
    case 'hr':
    case 'html':
      return undefined;
    default:
      return write('Helvetica', 10.5, plainText(token));
  }
}

function numberPages(pdf: PDFKit.PDFDocument): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    pdf.switchToPage(page);
    // Below the margin a line would open a page of its own.
    pdf.page.margins.bottom = 0;
    pdf
      .font('Helvetica')
      .fontSize(8)
      .text(`${page + 1} / ${count}`, 64, pdf.page.height - 40, { align: 'center' });
  }
}

/** What a reader sees of a token: no asterisks, no link targets. */
function plainText(token: Token | Tokens.TableCell | Tokens.ListItem): string {
  if ('tokens' in token && token.tokens !== undefined) {
    return token.tokens
      .map(plainText)
      .join('type' in token && token.type === 'list_item' ? ' ' : '')
      .trim();
  }
  if ('items' in token) return (token as Tokens.List).items.map((item) => `- ${plainText(item)}`).join('\n');
  return 'text' in token ? token.text.replaceAll('\n', ' ') : ' ';
}

const latin: Readonly<Record<string, string>> = { '→': '->', '≥': '>=', '≤': '<=', '≠': '!=', '\t': '  ' };

/** The fonts that every reader has know Latin letters only. */
const toLatin = (text: string): string => text.replaceAll(/[→≥≤≠\t]/g, (sign) => latin[sign] ?? sign);
