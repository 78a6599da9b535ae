import type { IndexInput } from './index-actions.ts';

/** Depth at which the index of the vectors is tuned where there is nobody to embed real questions: that of RAG_CANDIDATES. */
const candidates = 100;

/** Merges what is complete into one table and gives back the space of what was replaced or removed. */
export async function compactIndex({ store, json, print }: IndexInput): Promise<number> {
  const before = await store.inspect();
  await store.consolidate();
  await store.tune([], candidates);
  const after = await store.inspect();
  const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
  print(
    json
      ? JSON.stringify({ shards: after.shards, bytes_before: before.bytes, bytes: after.bytes })
      : `${before.shards - after.shards} shards merged, ${after.shards} left; ${mebibytes(before.bytes)} before, ${mebibytes(after.bytes)} now`,
  );
  return 0;
}
