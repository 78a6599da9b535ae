import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ageByDisk } from '../../src/disk/age.ts';

test('ageByDisk() tells how long ago a file was written and leaves nothing beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'age-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(file, anHourAgo, anHourAgo);
    const age = await ageByDisk(file);
    assert.ok(age !== undefined && age > 3_590_000 && age < 3_700_000, String(age));
    assert.deepEqual(await readdir(folder), ['file']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('ageByDisk() of a file that is gone by now is unknown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'age-'));
  try {
    assert.equal(await ageByDisk(join(folder, 'none')), undefined);
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
