import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import type { ParserPool } from '../../src/documents/types.ts';
import { listInputs, type ListedItem } from '../../src/ingest/listing.ts';
import { goodFiles, writeBrokenFolder } from '../fixtures/documents/broken.ts';

const chunker = { targetTokens: 512, overlapTokens: 64 };
const never = new AbortController().signal;

/** Why an item failed; undefined when its text was read. */
async function reasonOf(item: ListedItem, pool: ParserPool): Promise<string | undefined> {
  if (item.kind === 'failed') return item.reason;
  const [document] = await pool.parse({ ...item, known: null }, never);
  if (document === undefined || 'reason' in document) return document?.reason ?? 'nothing';
  assert.match(JSON.stringify(document), /fine/);
  return undefined;
}

test('in a folder of broken files each fails with its reason, and all good ones are read', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'broken-'));
  const wanted = await writeBrokenFolder(folder.path);
  await using pool = openParserPool({ threads: 2, chunker, maxFileBytes: 64e6, timeoutMsPerFile: 60_000 });
  const read: string[] = [];
  for await (const item of listInputs({ inputs: [folder.path] }, never)) {
    const reason = await reasonOf(item, pool);
    if (reason === undefined) read.push(item.key);
    else assert.match(reason, wanted.get(item.key) ?? /this file is good/, item.key);
    if (reason !== undefined) wanted.delete(item.key);
  }
  assert.deepEqual(read, Object.keys(goodFiles).sort());
  assert.deepEqual([...wanted.keys()], [], 'all of them were met');
});
