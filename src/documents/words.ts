import { analyse, type Words } from '../words/analyse.ts';
import type { Chunk } from './types.ts';

/** A chunk with what a lexical search sees of it. */
export interface AnalysedChunk extends Chunk, Words {}

export interface AnalysedText {
  /** ISO 639-1; '' where it is not known. */
  readonly language: string;
  readonly chunks: readonly AnalysedChunk[];
}

/** Of title and text, as `contents` holds them. */
export function analyseChunks(title: string, chunks: readonly Chunk[]): AnalysedText {
  const language = '';
  return {
    language,
    chunks: chunks.map((chunk) => ({ ...chunk, ...analyse(`${title}\n${chunk.text}`, language) })),
  };
}
