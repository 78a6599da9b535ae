import { vectorIndexText } from '../observe/vector-index.ts';
import type { Inspection } from '../store/types.ts';
import type { IndexInput } from './index-actions.ts';

export async function inspectIndex({ store, folder, json, print }: IndexInput): Promise<number> {
  const inspection = await store.inspect();
  print(json ? JSON.stringify(inspection) : inspectionText(inspection, folder));
  return 0;
}

const inspectionText = (
  { documents, chunks, embedding, shards, bytes, vector_index }: Inspection,
  folder: string,
): string =>
  [
    `index      ${folder}`,
    `documents  ${documents.processed} processed, ${documents.failed} failed, ${documents.needs_ocr} without text`,
    `chunks     ${chunks}`,
    `embedding  ${embedding === null ? 'none yet' : `${embedding.model}, ${embedding.dimensions} dimensions, ${embedding.type}`}`,
    `vectors    ${vectorIndexText(vector_index)}`,
    `shards     ${shards} not merged`,
    `size       ${(bytes / 1_048_576).toFixed(1)} MiB`,
  ].join('\n');
