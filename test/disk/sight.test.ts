import assert from 'node:assert/strict';
import { mkdtempDisposable, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isSeenAlike, lookAt } from '../../src/disk/sight.ts';

test('a file is the same for two who see the same, and not after it was written, replaced or taken away', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-sight-'));
  const path = join(folder.path, 'a');
  const changes: (() => Promise<unknown>)[] = [
    () => writeFile(path, 'other'),
    () => writeFile(`${path}.new`, 'a').then(() => rename(`${path}.new`, path)),
    () => rm(path),
  ];
  for (const change of changes) {
    await writeFile(path, 'a');
    const seen = await lookAt(path);
    assert.ok(seen !== undefined && (await isSeenAlike(seen)));
    await pause(20); // a clock of a disk ticks every 4 ms
    await change();
    assert.equal(await isSeenAlike(seen), false);
  }
  assert.equal(await lookAt(path), undefined);
});
