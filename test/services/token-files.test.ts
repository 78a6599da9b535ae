import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTokenFiles } from '../../src/services/token-files.ts';

const tokens = { header: 'for headers', url: 'for addresses' };
const { signal } = new AbortController();
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('tokens lie in files that only their owner can read, and go with their supervisor', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-tokens-'));
  const place = join(dir.path, 'tokens');
  {
    await using files = await openTokenFiles({
      folder: dir.path,
      name: '7_1.n1',
      tokens,
      group: undefined,
      signal,
    });
    assert.equal(await readFile(files.header, 'utf8'), 'for headers\n');
    assert.equal(await readFile(files.url, 'utf8'), 'for addresses\n');
    assert.deepEqual(
      [await modeOf(files.header), await modeOf(files.url), await modeOf(place)],
      [0o600, 0o600, 0o700],
    );
  }
  assert.deepEqual(await readdir(place), []);
});

test('members of the group may read them, and only read', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-tokens-'));
  const group = execFileSync('id', ['-gn']).toString().trim();
  await using files = await openTokenFiles({ folder: dir.path, name: '7', tokens, group, signal });
  assert.deepEqual(
    [await modeOf(files.header), await modeOf(join(dir.path, 'tokens')), await modeOf(dir.path)],
    [0o640, 0o750, 0o750],
  );
  assert.equal((await stat(files.url)).gid, process.getgid?.());
});

const isRoot = process.getuid?.() === 0;
const [member, stranger] = [65_534, 65_533];

test(
  'another user of the group reads them and may not write; one of no group reads nothing',
  { skip: !isRoot },
  async () => {
    await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-tokens-'));
    const group =
      execFileSync('getent', ['group', String(member)])
        .toString()
        .split(':')[0] ?? '';
    await using files = await openTokenFiles({ folder: dir.path, name: '7', tokens, group, signal });
    const tries = (gid: number): string => {
      const program = `const { readFileSync, writeFileSync } = require('node:fs');
      for (const act of [readFileSync, (file) => writeFileSync(file, 'x')])
        try { console.log(String(act(${JSON.stringify(files.header)}))) } catch (error) { console.log(error.code) }`;
      const who = { uid: stranger, gid, cwd: '/', encoding: 'utf8' } as const;
      return execFileSync(process.execPath, ['--eval', program], who);
    };
    assert.equal(tries(member), 'for headers\n\nEACCES\n');
    assert.equal(tries(stranger), 'EACCES\nEACCES\n');
  },
);

test('a group that is none is said, and no token is left behind', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-tokens-'));
  const opening = openTokenFiles({ folder: dir.path, name: '7', tokens, group: 'no-such-group', signal });
  await assert.rejects(opening, { code: 'settings' });
  assert.deepEqual(await readdir(join(dir.path, 'tokens')), []);
});
