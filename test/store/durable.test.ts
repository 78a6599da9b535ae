import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { syncTree } from '../../src/store/durable.ts';

test('files of a table get the mode that the umask means, whoever made them for himself alone', async () => {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'rag-durable-'));
  const table = join(scratch.path, 'main.lance');
  await mkdir(join(table, 'data'), { recursive: true });
  const file = join(table, 'data/1.lance');
  const before = process.umask(0o027);
  try {
    await writeFile(file, 'rows', { mode: 0o600 });
    const synced = new Set<string>();
    await syncTree(table, synced);
    assert.equal((await stat(file)).mode & 0o777, 0o640);
    assert.ok(synced.has(file));
  } finally {
    process.umask(before);
  }
});
