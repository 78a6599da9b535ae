import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isRemoved, type Complete } from '../ledger.ts';
import { vectorIndexFigures } from '../search/near.ts';
import { readRecord } from '../write/record.ts';
import type { IndexFolder } from '../tables.ts';
import type { Inspection } from '../types.ts';
import { newestFailures } from './failures.ts';
import { readView, scanLedger } from '../view.ts';

/** Reads what is committed, also while another process writes. Makes nothing where there is no index. */
export async function inspect(folder: IndexFolder): Promise<Inspection> {
  const embedding = await readRecord(folder.root);
  const { main, shards, ledger } = await readView(folder);
  const failures = await newestFailures(folder);
  let processed = 0;
  let chunks = 0;
  const count = (document: string, complete: Complete): void => {
    processed += isRemoved(complete) ? 0 : 1;
    chunks += complete.chunks;
    if (complete.version > (failures.get(document)?.version ?? Infinity)) failures.delete(document);
  };
  for (const [document, complete] of ledger) count(document, complete);
  if (main !== undefined) {
    for await (const row of scanLedger(main, 'ordinal = 0'))
      if (!ledger.has(row.document)) count(row.document, row);
  }
  const states = [...failures.values()].map(({ state }) => state);
  const failed = states.filter((state) => state === 'failed').length;
  return {
    documents: { processed, failed, needs_ocr: states.length - failed },
    chunks,
    embedding,
    shards: shards.size,
    bytes: await bytesBelow(folder.root),
    vector_index: await vectorIndexFigures(folder.root, main),
  };
}

/** Files come and go while we look: one that is gone has no size. One that a tag names too counts once. */
async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const found = await Promise.all(
    files.map(({ parentPath, name }) => stat(path.join(parentPath, name)).catch(() => undefined)),
  );
  const sizes = new Map(found.map((file) => [file?.ino ?? 0, file?.size ?? 0]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
