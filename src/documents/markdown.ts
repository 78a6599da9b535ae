import { type Block, firstHeading, type ParsedText } from './block.ts';
import { tableBlock } from './table-rows.ts';

// Every pattern here is linear: none has two neighbours that could share the same run of characters.
const fence = /^ {0,3}(`{3,}|~{3,})/u;
const atxHeading = /^ {0,3}(#{1,6})(?=[ \t]|$)/u;
const setextUnderline = /^ {0,3}(=+|-+)[ \t]*$/u;
const tableRule = /^[ \t|:-]+$/u;
const frontMatter = /^---\n(?:[^\n]*\n){0,200}?(?:---|\.\.\.)(?:\n|$)/u;
const inlineData = /!\[([^[\]\n]{0,200})\]\(data:[^()[\s]*\)/gu;
const link = /\[([^[\]]{0,200})\]\([^()\s]{0,1000}\)/gu;

/**
 * Markdown by its structure: headings, fenced code, tables, paragraphs. Markup inside a line stays as it is
 * written: models read it. Pictures written out as data are dropped, front matter too, but for its title.
 *
 * @param text cleaned
 */
export function parseMarkdown(text: string): ParsedText {
  const matter = frontMatter.exec(text)?.[0] ?? '';
  const lines = text.slice(matter.length).replace(inlineData, '$1').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const { block, next } = readBlock(lines, at);
    if (block !== undefined) blocks.push(block);
    at = next;
  }
  return { title: titleIn(matter) ?? firstHeading(blocks), blocks };
}

function titleIn(matter: string): string | undefined {
  const value = /^title:(.*)$/mu.exec(matter)?.[1]?.trim() ?? '';
  return value.replace(/^(["'])(.*)\1$/u, '$2') || undefined;
}

interface Read {
  readonly block: Block | undefined;
  /** The line after it. */
  readonly next: number;
}

function readBlock(lines: readonly string[], at: number): Read {
  const line = lines[at] ?? '';
  if (line.trim() === '') return { block: undefined, next: at + 1 };
  const marks = atxHeading.exec(line);
  if (marks !== null) {
    const text = line
      .slice(marks[0].length)
      .trim()
      .replace(/(?:^|[ \t])#+$/u, '');
    return { block: headingBlock(text, marks[1]?.length ?? 1), next: at + 1 };
  }
  const opening = fence.exec(line)?.[1];
  if (opening !== undefined) return readFence(lines, at, opening);
  if (isTable(lines, at)) return readTable(lines, at);
  return readParagraph(lines, at);
}

/** To the closing fence, which is at least as long as the opening one, or to the end. */
function readFence(lines: readonly string[], at: number, opening: string): Read {
  let next = at + 1;
  while (next < lines.length && !isClosing(lines[next] ?? '', opening)) next++;
  next = Math.min(next + 1, lines.length);
  return { block: { kind: 'code', text: lines.slice(at, next).join('\n').trimEnd() }, next };
}

const isClosing = (line: string, opening: string): boolean => {
  const run = line.trim();
  return run.length >= opening.length && run === (opening[0] ?? '`').repeat(run.length);
};

function isTable(lines: readonly string[], at: number): boolean {
  const rule = lines[at + 1] ?? '';
  return (lines[at] ?? '').includes('|') && rule.includes('|') && rule.includes('-') && tableRule.test(rule);
}

function readTable(lines: readonly string[], at: number): Read {
  let next = at;
  while (next < lines.length && (lines[next] ?? '').includes('|')) next++;
  // The names of the columns and the line below them.
  return { block: tableBlock(lines.slice(at, next), 2), next };
}

/** Up to a blank line or the start of something else; a line of `=` or `-` below makes it a heading. */
function readParagraph(lines: readonly string[], at: number): Read {
  let next = at + 1;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const underline = setextUnderline.exec(line)?.[1];
    if (underline !== undefined) {
      const text = lines.slice(at, next).join(' ').trim();
      return { block: headingBlock(text, underline.startsWith('=') ? 1 : 2), next: next + 1 };
    }
    if (line.trim() === '' || fence.test(line) || atxHeading.test(line) || isTable(lines, next)) break;
  }
  return { block: { kind: 'text', text: lines.slice(at, next).join('\n').trimEnd() }, next };
}

/** The path shows the words, not the markup around them. */
function headingBlock(raw: string, level: number): Block | undefined {
  const text = raw
    .replace(/[*`]|\{#[^}\s]*\}$/gu, '')
    .replace(link, '$1')
    .trim();
  return text === '' ? undefined : { kind: 'heading', text, level };
}
