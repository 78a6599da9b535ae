/** Runs in a thread: reads the tokenizer of a model once, then counts. */
import { readGguf } from '../machine/gguf.ts';
import { isOfTokenizer, makeTokenizer, type CountTokens } from './tokenizer.ts';

export interface CountOrder {
  /** The model's weights. */
  readonly file: string;
  readonly texts: readonly string[];
}

let loaded: { readonly file: string; readonly count: CountTokens } | undefined;

export default async function countTokens({ file, texts }: CountOrder): Promise<number[]> {
  if (loaded?.file !== file) {
    const { metadata } = await readGguf(file, isOfTokenizer);
    loaded = { file, count: makeTokenizer(metadata) };
  }
  return texts.map(loaded.count);
}
