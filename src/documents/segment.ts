import { estimateTokens } from '../tokens/estimate.ts';
import { type Block, blockSeparator } from './block.ts';

/** A stretch of the document's text that is never divided further. Offsets are UTF-16 units. */
export interface Unit {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
  readonly page: number | null;
  /** The headings in force here, outermost first; a heading counts itself. */
  readonly headings: readonly string[];
  readonly isHeading: boolean;
}

export interface Segmented {
  readonly text: string;
  readonly units: readonly Unit[];
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
}

/** What a blank line between two blocks costs (see estimate.ts). */
const separatorTokens = 0.4;
/** Longer headings are prose that was marked up as a heading; the path is repeated in every chunk. */
const longestPathEntry = 200;

/** Cuts blocks into units: sentences, whole tables and code where they fit, else their lines. */
export function segmentBlocks(blocks: readonly Block[], targetTokens: number): Segmented {
  const units: Unit[] = [];
  const parts: string[] = [];
  const path: { level: number; text: string }[] = [];
  let headings: readonly string[] = [];
  let at = 0;
  for (const block of blocks) {
    if (block.text.trim() === '') continue;
    const isHeading = block.kind === 'heading';
    if (isHeading) {
      const level = block.level ?? 1;
      while ((path.at(-1)?.level ?? 0) >= level) path.pop();
      path.push({ level, text: block.text.slice(0, longestPathEntry).toWellFormed() });
      headings = path.map((entry) => entry.text);
    }
    if (parts.length > 0) at += blockSeparator.length;
    const page = block.page ?? null;
    for (const span of spansOf(block, targetTokens)) {
      const tokens = span.tokens + (span.from === 0 ? separatorTokens : 0);
      units.push({ from: at + span.from, to: at + span.to, tokens, page, headings, isHeading });
    }
    parts.push(block.text);
    at += block.text.length;
  }
  return { text: parts.join(blockSeparator), units };
}

function spansOf(block: Block, targetTokens: number): Span[] {
  const solid = block.kind === 'table' || block.kind === 'code';
  if (solid) {
    const tokens = estimateTokens(block.text);
    if (tokens + separatorTokens <= targetTokens) return [{ from: 0, to: block.text.length, tokens }];
  }
  const spans: Span[] = [];
  for (const [from, to] of divide(block.text, solid ? /\n+/g : sentenceEnd)) {
    const tokens = estimateTokens(block.text.slice(from, to));
    const longest = solid ? targetTokens : targetTokens / 2;
    if (tokens + separatorTokens <= longest) spans.push({ from, to, tokens });
    // No sentence is half a chunk long: a list, a log, a missing full stop. Small pieces fill chunks evenly.
    else
      cut(
        block.text,
        { from, to, tokens },
        0,
        solid ? targetTokens - separatorTokens : targetTokens / 8,
        spans,
      );
  }
  return spans;
}

const sentenceEnd = /[.!?…]["'”’)\]]*\s+|[。！？]["'”’）」』]*\s*/gu;

/** Stretches that end with a match of `end`; together they are the whole text. */
function* divide(text: string, end: RegExp): Generator<[number, number]> {
  let from = 0;
  for (const match of text.matchAll(end)) {
    const to = match.index + match[0].length;
    yield [from, to];
    from = to;
  }
  if (from < text.length) yield [from, text.length];
}

/**
 * Halves a stretch, at the best place near its middle, until the pieces are small enough.
 *
 * @param atLeast its share of the tokens of the whole: the parts of a long word count less than the word
 */
function cut(text: string, span: Span, atLeast: number, maxTokens: number, out: Span[]): void {
  const { from, to } = span;
  const tokens = Math.max(span.tokens, atLeast);
  const piece = text.slice(from, to);
  const middle = tokens <= maxTokens ? 0 : breakNearMiddle(piece);
  if (middle === 0) {
    out.push({ from, to, tokens });
    return;
  }
  for (const [start, end] of [
    [0, middle],
    [middle, piece.length],
  ] as const) {
    const half = { from: from + start, to: from + end, tokens: estimateTokens(piece.slice(start, end)) };
    cut(text, half, (tokens * (end - start)) / piece.length, maxTokens, out);
  }
}

/** After a newline, else after a space, else between two characters as a reader counts them; 0 if there is none. */
function breakNearMiddle(piece: string): number {
  const middle = Math.floor(piece.length / 2);
  for (const separator of ['\n', ' ']) {
    const before = piece.lastIndexOf(separator, middle - 1) + 1;
    if (before > piece.length / 4) return before;
    const after = piece.indexOf(separator, middle) + 1;
    if (after > 0 && after < (piece.length * 3) / 4) return after;
  }
  return characterBoundary(piece, middle);
}

const joiner = '\u200d';
const continues = /^[\p{M}\p{Emoji_Modifier}\u200d]/u;
/** More marks than this on one letter are an attack on the reader, not writing. */
const longestCluster = 32;

function characterBoundary(piece: string, middle: number): number {
  const safe = isInsidePair(piece, middle) ? middle - 1 : middle;
  for (let at = safe; at < Math.min(piece.length, safe + longestCluster); at++) {
    if (isInsidePair(piece, at) || piece[at - 1] === joiner) continue;
    if (!continues.test(piece.slice(at, at + 2))) return at;
  }
  return safe;
}

const isInsidePair = (text: string, at: number): boolean =>
  (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
