import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { whyUntrusted } from '../../src/disk/trust.ts';

test('what everybody may have put there is not trusted, through a link neither', async () => {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'rag-trust-'));
  const folder = join(scratch.path, 'runtime');
  const file = join(folder, 'service.json');
  await mkdir(folder);
  await writeFile(file, '{}');
  await symlink(folder, join(scratch.path, 'link'));
  const linked = join(scratch.path, 'link/service.json');
  for (const mode of [0o700, 0o755, 0o2775]) {
    await chmod(folder, mode);
    assert.equal(await whyUntrusted(linked), undefined, mode.toString(8));
  }
  await chmod(folder, 0o777);
  assert.match((await whyUntrusted(linked)) ?? '', /everybody may write in .*runtime$/);
  await chmod(folder, 0o1777);
  assert.equal(await whyUntrusted(file), undefined, 'mine, where others cannot replace it');
  if (process.getuid?.() === 0) {
    await chown(file, 65_534, 65_534);
    assert.match((await whyUntrusted(file)) ?? '', /everybody may write in/);
  }
  assert.equal(await whyUntrusted(join(folder, 'gone.json')), undefined, 'it may have just ended');
  await chmod(folder, 0o755);
  await chmod(file, 0o666);
  assert.match((await whyUntrusted(file)) ?? '', /everybody may write to/);
});
