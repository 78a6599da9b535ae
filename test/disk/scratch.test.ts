import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openScratch } from '../../src/disk/scratch.ts';

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'sweep-'));
});
after(() => rm(base, { recursive: true }));

const program = (folder: string): string =>
  `const { openScratch } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/disk/scratch.ts'))});` +
  `await openScratch('dead', ${JSON.stringify(folder)}); process.kill(process.pid, 'SIGKILL')`;

test('openScratch() gives a folder of its own that goes when it is closed', async () => {
  const scratch = await openScratch('job', base);
  assert.equal((await stat(scratch.folder)).mode & 0o777, 0o700);
  await scratch[Symbol.asyncDispose]();
  assert.equal(existsSync(scratch.folder), false);
});

test('openScratch() sweeps what a killed run left, and nothing of one that lives', async () => {
  await using living = await openScratch('living', base);
  assert.throws(() =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program(base)], { stdio: 'pipe' }),
  );
  assert.equal((await readdir(base)).filter((name) => name.startsWith('rag-dead-')).length, 1);
  await using scratch = await openScratch('next', base);
  assert.ok(existsSync(living.folder) && existsSync(scratch.folder));
  assert.deepEqual(
    (await readdir(base)).filter((name) => name.startsWith('rag-dead-')),
    [],
  );
});

test('openScratch() follows no link to what a killed run left: whoever may write there could have made it', async () => {
  const elsewhere = join(base, 'elsewhere');
  await mkdir(elsewhere);
  assert.throws(() =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program(elsewhere)], { stdio: 'pipe' }),
  );
  const [left = assert.fail()] = await readdir(elsewhere);
  const link = join(base, 'rag-link');
  await symlink(join(elsewhere, left), link);
  await using _ = await openScratch('next', base);
  assert.ok((await lstat(link)).isSymbolicLink() && existsSync(join(elsewhere, left)));
});

test('openScratch() takes an empty TMPDIR for none and goes to /tmp where a socket path would be too long', async () => {
  await using empty = await openScratch('job', '');
  assert.ok(empty.folder.startsWith(tmpdir()));
  await using long = await openScratch('job', join(base, 'x'.repeat(60)));
  assert.ok(long.folder.startsWith('/tmp/rag-job-'));
});
