import type { Block, ParsedText } from './block.ts';

/** Paragraphs of plain text: what stands between blank lines. @param text cleaned */
export const paragraphs = (text: string): Block[] =>
  text
    .split(/\n[^\S\n]*\n\s*/u)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => ({ kind: 'text', text: paragraph.trimEnd() }));

export const parseText = (text: string): ParsedText => ({ title: undefined, blocks: paragraphs(text) });
