import { RagError } from '../errors.ts';

/**
 * What every parser makes of a document: stretches of text in reading order. Their texts joined by a blank
 * line are the document's text, the one that offsets of chunks and citations count in.
 */
export interface Block {
  /** `table` and `code` are kept whole where they fit, and are cut between lines where they do not. */
  readonly kind: 'heading' | 'text' | 'table' | 'code';
  /** Cleaned (see clean.ts); a table's lines are its rows. */
  readonly text: string;
  /** Of a heading: 1 is the outermost. */
  readonly level?: number;
  /** Counted from 1; only where the format has pages: of slides, their number. */
  readonly page?: number;
  /** Of a table that has rows below them: its first lines, which are said again where it is cut. */
  readonly headerLines?: number;
}

export interface ParsedText {
  /** As the document says it; undefined when it does not. */
  readonly title: string | undefined;
  readonly blocks: readonly Block[];
  /** As the document says it: `de`, `pt-BR`. */
  readonly language?: string | undefined;
  /** What a reader should know: that hidden sheets are among the text, that letters may be wrong. */
  readonly warnings?: readonly string[] | undefined;
  /** There are pictures: where there is no text, it may be in them. */
  readonly hasPictures?: boolean;
}

export const blockSeparator = '\n\n';

export const firstHeading = (blocks: readonly Block[]): string | undefined =>
  blocks.find((block) => block.kind === 'heading')?.text;

/**
 * The longest text of one document: a thread needs ten times as much for cutting it. Readers of formats that
 * can say one text a million times count while they read; of all others the sum is checked afterwards.
 */
export const mostCharacters = 64 * 1024 * 1024;

export const tooMuchText = (): RagError =>
  new RagError(
    'bad-document',
    `its text is longer than ${mostCharacters / 1024 / 1024} million characters: divide it into several files`,
  );

/** Counts the characters of a document that may say one text a million times. @throws bad-document */
export function openCount(): (text: string) => void {
  let characters = 0;
  return (text) => {
    characters += text.length;
    if (characters > mostCharacters) throw tooMuchText();
  };
}
