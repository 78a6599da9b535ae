import { errorTable } from '../errors.ts';
import { onOneLine } from '../observe/terminal.ts';
import { vectorIndexText } from '../observe/vector-index.ts';
import type { IndexInput } from './index-actions.ts';

/** Exit code 0 when the index is sound, that of a damaged index when it is not. */
export async function verifyIndex({ store, folder, json, print }: IndexInput): Promise<number> {
  const found = await store.verify();
  const vector_index = await store.vectorIndex();
  const { documents, chunks, pending, shards, problems } = found;
  const sound = problems.length === 0;
  if (json) print(JSON.stringify({ sound, ...found, vector_index }));
  else {
    const unfinished = pending === 0 ? '' : `, ${pending} chunks of documents that the next run finishes`;
    print(`${folder}: ${documents} documents, ${chunks} chunks, ${shards} shards not merged${unfinished}`);
    print(`  vectors: ${vectorIndexText(vector_index)}`);
    for (const { problem, mend } of problems) print(`  ${onOneLine(problem)}\n    mend: ${mend}`);
    print(sound ? 'ok' : `${problems.length} problems`);
  }
  return sound ? 0 : errorTable['index-damaged'].exit;
}
