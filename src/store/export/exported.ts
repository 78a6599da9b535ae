/** What an export consists of. */
import type { WrittenFile } from './part-file.ts';
import type { EncoderRecord } from '../types.ts';

export const manifestName = 'manifest.json';
export const passagesName = 'passages.jsonl';
export const vectorsName = 'vectors.npy';

/** `manifest.json`, written last: an export that has one is whole. */
export interface Exported {
  readonly kind: 'rag-allinone export';
  readonly format: 1;
  readonly encoder: EncoderRecord;
  readonly documents: number;
  readonly passages: number;
  readonly order: 'document, ordinal';
  readonly files: readonly WrittenFile[];
}

export type ExportedPart = 'all' | 'texts only';
