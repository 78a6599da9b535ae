import { estimateTokens } from '../tokens/estimate.ts';
import type { Block } from './block.ts';

/** A line break, and the blank line between two blocks, cost as much (see estimate.ts). */
const breakTokens = 0.4;
/** A longer header is not repeated: the rows are what is looked for. */
const largestHeader = 1 / 3;

/**
 * Tables that are too long for one chunk become several, each with the header of the whole: a row is understood
 * by the names of its columns. The text of the document has the header as often.
 */
export function repeatHeaders(blocks: readonly Block[], targetTokens: number): readonly Block[] {
  if (!blocks.some(isDivisible)) return blocks;
  return blocks.flatMap((block) => (isDivisible(block) ? partsOf(block, targetTokens) : [block]));
}

const isDivisible = (block: Block): boolean => block.headerLines !== undefined;

function partsOf(block: Block, targetTokens: number): Block[] {
  const lines = block.text.split('\n');
  const header = lines.slice(0, block.headerLines);
  const headerTokens = tokensOf(header);
  if (tokensOf(lines) <= targetTokens || headerTokens > targetTokens * largestHeader) return [block];
  const parts: Block[] = [];
  let rows: string[] = [];
  let tokens = headerTokens;
  const close = (): void => {
    if (rows.length > 0) parts.push({ ...block, text: [...header, ...rows].join('\n') });
    rows = [];
    tokens = headerTokens;
  };
  for (const row of lines.slice(header.length)) {
    const more = tokensOf([row]);
    if (tokens + more > targetTokens) close();
    rows.push(row);
    tokens += more;
  }
  close();
  return parts;
}

function tokensOf(lines: readonly string[]): number {
  let sum = 0;
  for (const line of lines) sum += estimateTokens(line) + breakTokens;
  return sum;
}
