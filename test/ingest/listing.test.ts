import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { type ListedItem, listInputs } from '../../src/ingest/listing.ts';

const never = new AbortController().signal;

interface Tree extends AsyncDisposable {
  at(name: string): string;
}

/** A throw-away folder with these files. */
async function makeTree(files: Readonly<Record<string, string>>): Promise<Tree> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'listing-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), content);
  }
  return { at: (name) => join(folder.path, name), [Symbol.asyncDispose]: () => folder.remove() };
}

async function list(...inputs: string[]): Promise<ListedItem[]> {
  const items: ListedItem[] = [];
  for await (const item of listInputs({ inputs }, never)) items.push(item);
  return items;
}
const keyOf = (item: ListedItem): string => item.key;
const keys = async (...inputs: string[]): Promise<string[]> => (await list(...inputs)).map(keyOf);

test('a folder is listed by path below it, sorted, without hidden names', async () => {
  await using tree = await makeTree({
    'd/b.txt': '',
    'd/a/z.md': '',
    'd/a.txt': '',
    'd/.git/x': '',
    'd/a/.hidden': '',
    'd/C': '',
  });
  assert.deepEqual(await keys(tree.at('d')), ['C', 'a/z.md', 'a.txt', 'b.txt']);
});

test('a single file has its name as its key, hidden or not', async () => {
  await using tree = await makeTree({ 'd/b.txt': '', 'd/.note': '' });
  assert.deepEqual(await list(tree.at('d/b.txt')), [
    { kind: 'file', path: tree.at('d/b.txt'), key: 'b.txt' },
  ]);
  assert.deepEqual(await keys(tree.at('d/.note')), ['.note']);
});

test('a glob gives paths below its fixed part; a name that exists is not taken for a pattern', async () => {
  await using tree = await makeTree({ 'd/a.md': '', 'd/x/b.md': '', 'd/x/c.txt': '', 'd/[a].md': '' });
  assert.deepEqual(await keys(tree.at('d/**/*.md')), ['[a].md', 'a.md', 'x/b.md']);
  assert.deepEqual(await keys(tree.at('d/{x,y}/*.{md,txt}')), ['x/b.md', 'x/c.txt']);
  assert.deepEqual(await keys(tree.at('d/[a].md')), ['[a].md']);
});

test('a name that is not UTF-8 is reported as that; one with a replacement character of its own is none', async () => {
  await using tree = await makeTree({ 'd/a\uFFFD.txt': '' });
  const name = (text: string): Buffer =>
    Buffer.concat([Buffer.from(tree.at('d/')), Buffer.from(text, 'latin1')]);
  await writeFile(name('b\xE9.txt'), 'text');
  await mkdir(name('c\xE9'));
  const reason = 'its name is not UTF-8: rename it';
  assert.deepEqual(
    (await list(tree.at('d'))).map((item) => (item.kind === 'failed' ? [item.key, item.reason] : item.key)),
    ['a\uFFFD.txt', ['b\uFFFD.txt', reason], ['c\uFFFD', reason]],
  );
});

test('a number sign in a name is written as in a URL: after it a key names a row', async () => {
  await using tree = await makeTree({ 'd/rows.jsonl#7': '', 'd/100%': '', 'd/%23': '' });
  assert.deepEqual(await keys(tree.at('d')), ['%2523', '100%', 'rows.jsonl%237']);
});

test('a list names one path a line, and a path that is wrong fails by itself', async () => {
  await using tree = await makeTree({ 'a b.txt': '', 'sub/c.txt': '' });
  await writeFile(tree.at('list'), `${tree.at('a b.txt')}\r\n\n${tree.at('gone')}\n${tree.at('sub')}`);
  const items = await list(`@${tree.at('list')}`);
  assert.deepEqual(
    items.map((item) => [item.kind, keyOf(item)]),
    [
      ['file', tree.at('a b.txt')],
      ['failed', tree.at('gone')],
      ['file', tree.at('sub/c.txt')],
    ],
  );
});

test('a leading ~ is the home folder, in every kind of input and in a list', async () => {
  await using tree = await makeTree({ 'papers/a.md': '', 'papers/b.txt': '', list: '~/papers/a.md\n' });
  const before = process.env['HOME'];
  process.env['HOME'] = tree.at('');
  try {
    const home = tree.at('').replace(/\/$/u, '');
    assert.deepEqual(await keys('~/papers'), ['a.md', 'b.txt']);
    assert.deepEqual(await keys('~/papers/b.txt'), ['b.txt']);
    assert.deepEqual(await keys('~/papers/*.md'), ['a.md']);
    assert.deepEqual(await list('@~/list'), [
      { kind: 'file', path: `${home}/papers/a.md`, key: `${home}/papers/a.md` },
    ]);
    assert.deepEqual(await keys('~'), ['list', 'papers/a.md', 'papers/b.txt']);
  } finally {
    if (before === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before;
  }
});

test('links are followed to files inside the folder only', async () => {
  await using tree = await makeTree({ 'd/real.txt': '', 'd/sub/x.txt': '', 'secret.txt': '' });
  await symlink('real.txt', tree.at('d/inside'));
  await symlink('sub', tree.at('d/loop'));
  await symlink('..', tree.at('d/sub/up'));
  await symlink('../secret.txt', tree.at('d/outside'));
  await symlink('nothing', tree.at('d/broken'));
  const items = await list(tree.at('d'));
  assert.deepEqual(
    items.map((item) => [keyOf(item), item.kind]),
    [
      ['broken', 'failed'],
      ['inside', 'file'],
      ['outside', 'failed'],
      ['real.txt', 'file'],
      ['sub/x.txt', 'file'],
    ],
  );
});

test('a FIFO is reported and never opened', async () => {
  await using tree = await makeTree({ 'd/a.txt': '' });
  execFileSync('mkfifo', [tree.at('d/pipe.jsonl')]);
  assert.deepEqual(
    (await list(tree.at('d'))).map((item) => item.kind),
    ['file', 'failed'],
  );
  assert.deepEqual(
    (await list(tree.at('d/pipe.jsonl'))).map((item) => item.kind),
    ['failed'],
  );
});

test('different files of one relative path get the names of their folders, and no file is listed twice', async () => {
  await using tree = await makeTree({
    'one/docs/a.md': '1',
    'two/docs/a.md': '2',
    'three/docs/a.md': '3',
    'two/docs/b.md': '',
  });
  const all = ['one', 'two', 'three'].map((name) => tree.at(`${name}/docs`));
  assert.deepEqual(await keys(...all), ['a.md', 'docs//a.md', 'b.md', 'docs~2//a.md']);
  assert.deepEqual(await keys(tree.at('one'), tree.at('one/docs/a.md'), tree.at('one/docs')), ['docs/a.md']);
  assert.deepEqual(await keys(tree.at('one/docs/a.md'), tree.at('two/docs/a.md')), ['a.md', 'docs//a.md']);
});

test('a root in front of a key is told from a folder of that name, and from another root', async () => {
  await using tree = await makeTree({
    'docs/a.md': '',
    'docs/reports/a.md': '',
    'other/reports/a.md': '',
    'more/reports~2/a.md': '',
    'last/reports/a.md': '',
  });
  const inputs = ['docs', 'more/reports~2', 'other/reports', 'last/reports'].map((name) => tree.at(name));
  assert.deepEqual(await keys(...inputs), [
    'a.md',
    'reports/a.md',
    'reports~2//a.md',
    'reports//a.md',
    'reports~3//a.md',
  ]);
});

test('a path in a list and one below a folder are two keys, and so are an absolute and a relative path', async () => {
  await using tree = await makeTree({ 'a.md': '', 'docs/a.md': '', 'docs/b.md': '', list: 'a.md\n' });
  const before = process.cwd();
  process.chdir(tree.at(''));
  try {
    const here = basename(process.cwd());
    assert.deepEqual(await keys('@list', 'docs'), ['a.md', 'docs//a.md', 'b.md']);
    assert.deepEqual(await keys('docs', '@list'), ['a.md', 'b.md', `${here}//a.md`]);
    assert.deepEqual(await keys('@list', tree.at('a.md'), '.'), [
      'a.md',
      'a.md',
      'docs/a.md',
      'docs/b.md',
      'list',
    ]);
  } finally {
    process.chdir(before);
  }
  await writeFile(tree.at('list'), [tree.at('a.md'), tree.at('a.md').slice(1)].join('\n'));
  const [absolute, relative] = await keys(`@${tree.at('list')}`);
  assert.notEqual(absolute, relative);
});

test('what is missing fails by itself while another input can be read', async () => {
  await using tree = await makeTree({ 'a.txt': '' });
  const items = await list(tree.at('gone.txt'), tree.at('a.txt'));
  assert.deepEqual(
    items.map((item) => item.kind),
    ['failed', 'file'],
  );
});

test('without anything to read the error says so, with a hint', async () => {
  await using tree = await makeTree({ 'empty/.keep': '' });
  await assert.rejects(list(tree.at('gone'), tree.at('no*/x')), {
    code: 'no-input',
    message: /gone: it does not exist/,
    hint: /--input-file/,
  });
  await assert.rejects(list(tree.at('empty')), { code: 'no-input', message: /there is no file in/ });
  await assert.rejects(list(tree.at('*.md')), { code: 'no-input' });
  await assert.rejects(list(), { code: 'no-input' });
});

test('aborting stops the listing', async () => {
  await using tree = await makeTree({ 'd/a': '', 'd/b': '' });
  const stop = new AbortController();
  const listing = listInputs({ inputs: [tree.at('d')] }, stop.signal);
  await listing.next();
  stop.abort();
  await assert.rejects(listing.next(), { code: 'aborted' });
});
