import { resolve } from 'node:path';

import { RagError } from '../errors.ts';
import type { IndexInput } from './index-actions.ts';

/** Passages and their vectors as files that other programs read, and `index import` too. */
export async function exportIndex({ store, words, json, print }: IndexInput): Promise<number> {
  const [given, ...more] = words;
  if (given === undefined || more.length > 0) {
    throw new RagError('usage', `Cannot export: ${words.length} folders are named, one is wanted`, {
      hint: 'node dist/supervisor.js index export exported/',
    });
  }
  const folder = resolve(given);
  const exported = await store.exportTo(folder, 'all');
  const { documents, passages, files } = exported;
  const mebibytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1_048_576;
  print(
    json
      ? JSON.stringify({ folder, ...exported })
      : `${passages} passages of ${documents} documents, ${mebibytes.toFixed(1)} MiB in ${folder}`,
  );
  return 0;
}
