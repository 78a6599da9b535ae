import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { claimByLink, readIfThere, removeIfOwned, writeAtomic } from '../../src/disk/atomic.ts';

const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'rag-disk-'));
const atomic = new URL('../../src/disk/atomic.ts', import.meta.url).href;

test('writeAtomic() makes and replaces a file that only its owner may read, and leaves nothing beside it', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'state.json');
  await writeAtomic(path, 'one');
  await writeAtomic(path, 'two');
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(dir.path), ['state.json']);
});

test('a file that others may read is readable for them under the umask of the batch scripts, too', async () => {
  await using dir = await folder();
  const before = process.umask(0o077);
  try {
    await writeAtomic(join(dir.path, 'written'), 'one', 0o644);
    await claimByLink(join(dir.path, 'claimed'), 'one', 0o644);
  } finally {
    process.umask(before);
  }
  for (const name of ['written', 'claimed'])
    assert.equal((await stat(join(dir.path, name))).mode & 0o777, 0o644, name);
});

test('writeAtomic() shows a reader a whole file at any moment', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'state.json');
  const contents = ['a', 'b'].map((letter) => letter.repeat(100_000));
  await writeAtomic(path, contents[0] ?? '');
  const writing = { ended: false };
  const ended = (async () => {
    for (let i = 0; i < 20; i += 1) await writeAtomic(path, contents[i % 2] ?? '');
    writing.ended = true;
  })();
  while (!writing.ended) assert.ok(contents.includes(await readFile(path, 'utf8')));
  await ended;
});

test('writeAtomic() that fails leaves the old file and nothing beside it', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'missing', 'state.json');
  await assert.rejects(writeAtomic(path, 'one'), { code: 'ENOENT' });
  assert.deepEqual(await readdir(dir.path), []);
});

test('what fails is told, and not what failed while it was tidied up', async () => {
  await assert.rejects(writeAtomic('/dev/null/state.json', ''), { code: 'ENOTDIR', syscall: 'open' });
});

test('claimByLink() leaves the first content in place', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'claim');
  assert.equal(await claimByLink(path, 'first'), 'claimed');
  assert.equal(await claimByLink(path, 'second'), 'taken');
  assert.equal(await readFile(path, 'utf8'), 'first');
  assert.deepEqual(await readdir(dir.path), ['claim']);
});

test('claimByLink() lets exactly one of several processes in', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'claim');
  const program = `import { claimByLink } from ${JSON.stringify(atomic)};
    process.stdout.write(await claimByLink(${JSON.stringify(path)}, String(process.pid)));`;
  const runs = Array.from({ length: 4 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]),
  );
  const outcomes = (await Promise.all(runs)).map(({ stdout }) => stdout);
  assert.deepEqual(outcomes.sort(), ['claimed', 'taken', 'taken', 'taken']);
});

test('removeIfOwned() removes what is ours, and only that', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'claim');
  const isOurs = (content: string): boolean => content === 'ours';
  assert.equal(await removeIfOwned(path, isOurs), 'gone');
  await writeFile(path, 'theirs');
  assert.equal(await removeIfOwned(path, isOurs), 'foreign');
  assert.equal(await readIfThere(path), 'theirs');
  await writeFile(path, 'ours');
  assert.equal(await removeIfOwned(path, isOurs), 'removed');
  assert.deepEqual(await readdir(dir.path), []);
});

test('removeIfOwned() puts back what another wrote between the look and the removal', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'claim');
  await writeFile(path, 'theirs');
  let looks = 0;
  const looksOursOnce = (): boolean => (looks += 1) === 1;
  assert.equal(await removeIfOwned(path, looksOursOnce), 'foreign');
  assert.equal(await readFile(path, 'utf8'), 'theirs');
  assert.deepEqual(await readdir(dir.path), ['claim']);
});

test('readIfThere() tells a missing file from one that cannot be read', async (t) => {
  await using dir = await folder();
  assert.equal(await readIfThere(join(dir.path, 'none')), undefined);
  const path = join(dir.path, 'secret');
  await writeFile(path, 'x');
  await chmod(path, 0);
  if (process.getuid?.() === 0) return t.skip('root reads everything');
  await assert.rejects(readIfThere(path), { code: 'EACCES' });
});
