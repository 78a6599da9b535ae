import type { Block, ParsedText } from './block.ts';
import { cleanLine, cleanText } from './clean.ts';
import { rowLine, tableBlock } from './table-rows.ts';

/**
 * Docling's own JSON (`DoclingDocument`): a tree of references into lists of texts, tables, pictures and groups,
 * in reading order, each with its page.
 */
interface Node {
  readonly children?: readonly Reference[];
  readonly captions?: readonly Reference[];
  readonly label?: string;
  readonly text?: string;
  readonly level?: number;
  readonly content_layer?: string;
  readonly prov?: readonly { readonly page_no?: number }[];
  readonly data?: { readonly grid?: readonly (readonly GridCell[])[] };
}

interface Reference {
  readonly $ref?: string;
}

interface GridCell {
  readonly text?: string;
  readonly column_header?: boolean;
  readonly start_col_offset_idx?: number;
}

type Document = Node & { readonly body: Node } & Readonly<Record<string, readonly Node[]>>;

export const isDocling = (value: unknown): value is Document =>
  typeof value === 'object' &&
  value !== null &&
  'schema_name' in value &&
  value.schema_name === 'DoclingDocument' &&
  'body' in value &&
  typeof value.body === 'object';

export function parseDocling(document: Document): ParsedText {
  const blocks: Block[] = [];
  const seen = new Set<string>();
  /** Depth first; a reference that was followed is not followed again, so that none goes in circles. */
  const pending: Reference[] = (document.body.children ?? []).toReversed();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const path = next.$ref ?? '';
    const node = seen.has(path) ? undefined : find(document, path);
    seen.add(path);
    if (node === undefined || isFurniture(node)) continue;
    for (const { $ref: caption = '' } of node.captions ?? []) {
      if (!seen.has(caption)) blocks.push(...blocksOf(find(document, caption) ?? {}));
      seen.add(caption);
    }
    blocks.push(...blocksOf(node));
    pending.push(...(node.children ?? []).toReversed());
  }
  const title = blocks.find(({ kind }) => kind === 'heading')?.text;
  return { title, blocks };
}

function find(document: Document, path: string): Node | undefined {
  const [, list = '', index = ''] = /^#\/(\w+)\/(\d+)$/u.exec(path) ?? [];
  return Array.isArray(document[list]) ? document[list][Number(index)] : undefined;
}

const isFurniture = ({ label, content_layer: layer }: Node): boolean =>
  layer === 'furniture' || label === 'page_header' || label === 'page_footer';

function blocksOf(node: Node): Block[] {
  const page = node.prov?.[0]?.page_no;
  const made = node.data?.grid === undefined ? textOf(node) : tableOf(node.data.grid);
  if (made === undefined) return [];
  return [page === undefined ? made : { ...made, page }];
}

function textOf({ label, text, level = 1 }: Node): Block | undefined {
  const clean = cleanText(text ?? '').trim();
  if (clean === '') return undefined;
  const heading = clean.replaceAll('\n', ' ');
  if (label === 'title') return { kind: 'heading', text: heading, level: 1 };
  if (label === 'section_header') return { kind: 'heading', text: heading, level: level + 1 };
  if (label === 'code' || label === 'formula') return { kind: 'code', text: clean };
  return { kind: 'text', text: label === 'list_item' ? `- ${clean}` : clean };
}

/** A cell that covers several places stands in each of them: it is said once in a row, and in each row. */
function tableOf(grid: readonly (readonly GridCell[])[]): Block | undefined {
  const lines: string[] = [];
  let headerLines = 0;
  for (const row of grid) {
    const cells = row.map(({ text = '', start_col_offset_idx: start }, column) =>
      start !== undefined && start < column ? '' : cleanLine(text),
    );
    const line = rowLine(cells);
    if (line === '') continue;
    if (row.every((cell) => cell.column_header === true) && headerLines === lines.length) headerLines++;
    lines.push(line);
  }
  return lines.length === 0 ? undefined : tableBlock(lines, Math.max(1, headerLines));
}
