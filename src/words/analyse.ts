/** Names the analysis in an index's record. Raise it with every change that makes other words of the same text. */
export const analysis = 'words-1';

/** What BM25 sees of a passage. */
export interface Words {
  /** In order, separated by one space. */
  readonly words: string;
  /** How many they are. */
  readonly length: number;
}

/** @param language of the text, '' where it is not known */
export function analyse(text: string, _language: string): Words {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return { words: words.join(' '), length: words.length };
}
