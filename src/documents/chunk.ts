import type { Block } from './block.ts';
import { segmentBlocks, type Unit } from './segment.ts';
import { repeatHeaders } from './table-parts.ts';
import type { Chunk, ChunkerOptions } from './types.ts';

/** Raise it with every change that makes other chunks of the same document. */
const version = 3;

/** Names the chunker in an index's record, e.g. `structure-3:512/64`, `structure-3:512/64+docling-2.143`. */
export const chunkerName = ({ targetTokens, overlapTokens, parser }: ChunkerOptions): string =>
  [`structure-${version}:${targetTokens}/${overlapTokens}`, parser].filter(Boolean).join('+');

/**
 * Chunks of at most `targetTokens` estimated tokens. A chunk ends at a sentence, a row or a line where that is
 * possible, does not end with a heading, and begins anew at a heading once it is half full. Chunks that follow
 * each other inside a section share up to `overlapTokens` of whole sentences.
 *
 * `start` and `end` are code points of the blocks' texts joined by a blank line, with the header of a table in
 * front of each of its parts, and `text` is exactly that slice.
 */
export function chunkBlocks(blocks: readonly Block[], options: ChunkerOptions): Chunk[] {
  const { text, units } = segmentBlocks(repeatHeaders(blocks, options.targetTokens), options.targetTokens);
  const toStart = codePointCounter(text);
  const toEnd = codePointCounter(text);
  const chunks: Chunk[] = [];
  let covered = 0;
  for (const [first, after] of packUnits(units, options)) {
    const opening = units[first];
    const closing = units[after - 1];
    if (opening === undefined || closing === undefined) continue;
    const raw = text.slice(opening.from, closing.to);
    const trimmed = raw.trim();
    const from = opening.from + raw.indexOf(trimmed);
    const to = from + trimmed.length;
    // Blank lines, or those behind a copy of the end of the chunk before.
    if (trimmed === '' || to <= covered) continue;
    covered = to;
    chunks.push({
      ordinal: chunks.length,
      text: trimmed,
      start: toStart(from),
      end: toEnd(to),
      page: opening.page,
      pageEnd: closing.page,
      headings: opening.headings,
    });
  }
  return chunks;
}

/** Ranges of units, `[first, after)`. Each begins after the one before began, and holds a unit that is new. */
function packUnits(
  units: readonly Unit[],
  { targetTokens, overlapTokens }: ChunkerOptions,
): [number, number][] {
  const ranges: [number, number][] = [];
  let first = 0;
  let fresh = 0;
  let tokens = 0;
  for (const [index, unit] of units.entries()) {
    const isFull = index > first && tokens + unit.tokens > targetTokens;
    const isNewSection =
      unit.isHeading && units[index - 1]?.isHeading === false && tokens >= targetTokens / 2;
    if (isFull || isNewSection) {
      const end = isFull ? beforeHeadings(units, fresh, index, targetTokens) : index;
      ranges.push([first, end]);
      const room = Math.min(overlapTokens, targetTokens - unit.tokens);
      first = end < index || unit.isHeading ? end : backBy(room, units, first, end);
      fresh = end;
      tokens = sumTokens(units, first, index);
    }
    tokens += unit.tokens;
  }
  if (fresh < units.length) ranges.push([first, units.length]);
  return ranges;
}

/**
 * Where to end a chunk so that the headings before the unit at `index` go with it; where nothing but headings
 * is new in the chunk, or they do not fit in front of that unit, it ends at `index`.
 */
function beforeHeadings(units: readonly Unit[], fresh: number, index: number, targetTokens: number): number {
  let end = index;
  while (end > fresh && units[end - 1]?.isHeading === true) end--;
  const fits = sumTokens(units, end, index + 1) <= targetTokens;
  return end > fresh && fits ? end : index;
}

/** The earliest unit after `first` from which no more than `room` tokens and no heading lie before `end`. */
function backBy(room: number, units: readonly Unit[], first: number, end: number): number {
  let at = end;
  let tokens = 0;
  while (at - 1 > first) {
    const unit = units[at - 1];
    if (unit === undefined || unit.isHeading || tokens + unit.tokens > room) break;
    tokens += unit.tokens;
    at--;
  }
  return at;
}

function sumTokens(units: readonly Unit[], from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += units[at]?.tokens ?? 0;
  return sum;
}

/** Converts UTF-16 offsets, asked for in rising order, to code points: one pass over the text in all. */
function codePointCounter(text: string): (offset: number) => number {
  if (!/[\u{10000}-\u{10ffff}]/u.test(text)) return (offset) => offset;
  let at = 0;
  let points = 0;
  return (offset) => {
    for (; at < offset; at++) {
      // The first half of a pair counts for both: the text is well-formed.
      if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) points++;
    }
    return points;
  };
}
