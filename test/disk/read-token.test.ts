import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readToken } from '../../src/disk/read-token.ts';

test('a token is read from a file, and nothing else is waited for', { timeout: 20_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-token-'));
  const [file, pipe] = [join(folder.path, 'token'), join(folder.path, 'pipe')];
  await writeFile(file, 'abc\n');
  assert.equal(await readToken(file), 'abc');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(readToken(pipe), /is no regular file/);
  await assert.rejects(readToken('/dev/zero'), /is no regular file/);
  await assert.rejects(readToken(join(folder.path, 'none')), { code: 'ENOENT' });
});
