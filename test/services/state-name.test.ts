import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeOwner } from '../../src/disk/owner.ts';
import { claimStateName } from '../../src/services/state-name.ts';

const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'rag-name-'));
const starting = { phase: 'starting' };

test('of many supervisors of one job and node each has a name of its own', async () => {
  await using dir = await folder();
  const claims = Array.from({ length: 8 }, () => claimStateName(dir.path, '12.node1', starting));
  const names = await Promise.all(claims);
  assert.equal(new Set(names).size, 8, String(names));
  assert.ok(names.includes('12.node1'));
  assert.deepEqual((await readdir(dir.path)).toSorted(), names.map((name) => `${name}.json`).toSorted());
});

test('a name is free again when its supervisor has ended, died, or wrote nothing that can be read', async () => {
  await using dir = await folder();
  const dead = { ...makeOwner(), started: 1 };
  for (const text of [
    JSON.stringify({ phase: 'ended', owner: makeOwner(), heartbeat: 4 }),
    JSON.stringify({ phase: 'ingest', owner: dead, heartbeat: 4 }),
    '{',
  ]) {
    const path = join(dir.path, '12.node1.json');
    await writeFile(path, text);
    assert.equal(await claimStateName(dir.path, '12.node1', starting), '12.node1');
    assert.match(await readFile(path, 'utf8'), /"phase": "starting"/);
  }
});
