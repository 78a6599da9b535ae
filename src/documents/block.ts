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
  /** Counted from 1; only where the format has pages. */
  readonly page?: number;
}

export interface ParsedText {
  /** As the document says it; undefined when it does not. */
  readonly title: string | undefined;
  readonly blocks: readonly Block[];
}

export const blockSeparator = '\n\n';

export const firstHeading = (blocks: readonly Block[]): string | undefined =>
  blocks.find((block) => block.kind === 'heading')?.text;
