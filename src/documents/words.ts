import { analyse, type Words } from '../words/analyse.ts';
import { languageOf } from '../words/language.ts';
import type { Chunk } from './types.ts';

/** A chunk with what a lexical search sees of it. */
export interface AnalysedChunk extends Chunk, Words {}

export interface AnalysedText {
  /** ISO 639-1; '' where it is not known. */
  readonly language: string;
  readonly chunks: readonly AnalysedChunk[];
}

/** Long enough to tell the language of a document, whose first chunk may be its imprint. */
const sampledChunks = 4;

/**
 * Title and text of each chunk, in the language of the document.
 *
 * @param declared the language that the document says to be in
 */
export function analyseChunks(title: string, chunks: readonly Chunk[], declared?: string): AnalysedText {
  const sample = chunks.slice(0, sampledChunks).map(({ text }) => text.slice(0, 1_000));
  const language = languageOf([title, ...sample].join('\n'), declared);
  return {
    language,
    chunks: chunks.map((chunk) => ({ ...chunk, ...analyse(`${title}\n${chunk.text}`, language) })),
  };
}
