import { type Block, firstHeading, type ParsedText } from './block.ts';
import { parseMarkdown } from './markdown.ts';

/** Jupyter's notebooks: texts and code in their order. What the code printed is left out: pictures, as a rule. */
interface Cell {
  readonly cell_type?: unknown;
  readonly source?: unknown;
}

interface Notebook {
  readonly cells: readonly Cell[];
}

export const isNotebook = (value: unknown): value is Notebook =>
  typeof value === 'object' &&
  value !== null &&
  'nbformat' in value &&
  'cells' in value &&
  Array.isArray(value.cells);

export function parseNotebook({ cells }: Notebook): ParsedText {
  const blocks = cells.flatMap((cell): readonly Block[] => {
    const text = sourceOf(cell);
    if (text.trim() === '') return [];
    return cell.cell_type === 'code' ? [{ kind: 'code', text }] : parseMarkdown(text).blocks;
  });
  return { title: firstHeading(blocks), blocks };
}

/** One text, or its lines with their ends. */
const sourceOf = ({ source }: Cell): string =>
  (Array.isArray(source) ? source : [source])
    .filter((line) => typeof line === 'string')
    .join('')
    .trimEnd();
