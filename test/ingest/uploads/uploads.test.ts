/** Uploads: contents by hash, names beside them, and what becomes of both. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtempDisposable, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { uploadKey, withNumberSigns } from '../../../src/ingest/listing-keys.ts';
import { listInputs } from '../../../src/ingest/listing.ts';
import { cleanName, openUploads, type Upload, type Uploads } from '../../../src/ingest/uploads/uploads.ts';
import type { Content } from '../../../src/library.ts';
import { printedWithOwnDisk } from '../../own-disk.ts';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const bytesOf = async function* (text: string): AsyncGenerator<Uint8Array> {
  for (const letter of text) yield Buffer.from(letter);
};
const maxBytes = 1000;

interface World extends AsyncDisposable {
  readonly folder: string;
  readonly uploads: Uploads;
  keep(text: string): Promise<Content>;
  /** As a whole upload: bytes, then name. @returns the keys that are gone with it */
  send(name: string, text: string): Promise<readonly string[]>;
  /** Key, content and names of each, as a supervisor sees them that starts now. */
  documents(): Promise<unknown[]>;
  /** Hashes on the disk. */
  contents(): Promise<string[]>;
}

async function open(): Promise<World> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rag-uploads-'));
  const uploads = openUploads(folder.path, 0);
  const keep = (text: string): Promise<Content> => uploads.keep(bytesOf(text), { maxBytes });
  return {
    folder: folder.path,
    uploads,
    keep,
    send: async (name, text) => (await uploads.name([{ name, ...(await keep(text)) }])).gone,
    documents: async () => {
      const read = [...(await openUploads(folder.path).read()).values()];
      const toShow = async ({ key, path, names }: Upload): Promise<unknown> => [
        key,
        await readFile(path, 'utf8'),
        names.join(' '),
      ];
      return Promise.all(read.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(toShow));
    },
    contents: async () => {
      const all = await readdir(join(folder.path, 'uploads'), { recursive: true });
      return all.flatMap((path) => /^[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path)?.[1] ?? []).toSorted();
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

test('what was sent stands under its hash, and its name is only said beside it', async () => {
  await using world = await open();
  await world.send('../../etc/pass\u001Bwd', 'root');
  assert.deepEqual(await world.documents(), [['uploads//etc/passwd', 'root', 'etc/passwd']]);
  assert.deepEqual(await world.contents(), [hashOf('root')]);
  const paths = await readdir(join(world.folder, 'uploads'), { recursive: true });
  assert.ok(paths.every((path) => !path.includes('passwd')));
});

test('equal bytes are one document with two names; a name with other bytes leaves the one and takes the place of the other', async () => {
  await using world = await open();
  assert.deepEqual(await world.send('a.md', 'one'), []);
  assert.deepEqual(await world.send('b.md', 'one'), []);
  assert.deepEqual(await world.documents(), [['uploads//a.md', 'one', 'a.md b.md']]);
  await world.send('a.md', 'two');
  assert.deepEqual(await world.documents(), [
    ['uploads//a.md', 'two', 'a.md'],
    ['uploads//b.md', 'one', 'b.md'],
  ]);
  await world.send('b.md', 'three');
  assert.deepEqual(await world.contents(), [hashOf('three'), hashOf('two')].toSorted());
  assert.deepEqual(await world.send('b.md', 'two'), ['uploads//b.md']);
  assert.deepEqual(await world.documents(), [['uploads//a.md', 'two', 'a.md b.md']]);
});

test('a document goes with all its names and its bytes, a further name alone', async () => {
  await using world = await open();
  await world.send('a.md', 'one');
  await world.send('b.md', 'one');
  await world.uploads.remove(['uploads//b.md']);
  assert.deepEqual(await world.documents(), [['uploads//a.md', 'one', 'a.md']]);
  await world.send('b.md', 'one');
  await world.uploads.remove(['uploads//a.md', 'uploads//never.md']);
  assert.deepEqual(await world.documents(), []);
  assert.deepEqual(await world.contents(), []);
});

test('two supervisors of one index see what the other has taken, and the later name counts', async () => {
  await using world = await open();
  const other = openUploads(world.folder, 0);
  await world.send('a.md', 'one');
  const content = await other.keep(bytesOf('two'), { maxBytes });
  await other.name([{ name: 'a.md', ...content }]);
  assert.deepEqual(
    [...(await world.uploads.read()).values()].map(({ hash }) => hash),
    [hashOf('two')],
  );
  await world.send('b.md', 'two');
  await other.remove(['uploads//a.md']);
  assert.deepEqual([...(await world.uploads.read()).keys()], []);
});

test('bytes that another supervisor drops while they are named are kept or asked for again, never lost', async () => {
  await using world = await open();
  await world.send('a.md', 'one');
  const other = openUploads(world.folder, 0);
  const file = { name: 'b.md', hash: hashOf('one'), bytes: 3 };
  const [removed, named] = await Promise.allSettled([
    world.uploads.remove(['uploads//a.md']),
    other.name([file]),
  ]);
  assert.equal(removed.status, 'fulfilled');
  const left = await world.documents().catch(() => 'a name without bytes');
  if (named.status === 'fulfilled') assert.deepEqual(left, [['uploads//b.md', 'one', 'b.md']]);
  else assert.deepEqual((named.reason as { code: string }).code, 'no-input');
});

test('bytes other than announced, too many of them, or broken off, leave nothing behind', async () => {
  await using world = await open();
  const keep = (text: string, more: object = {}): Promise<Content> =>
    world.uploads.keep(bytesOf(text), { maxBytes, ...more });
  await assert.rejects(keep('one', { expected: hashOf('two') }), { code: 'usage' });
  await assert.rejects(keep('x'.repeat(1001)), { code: 'too-large' });
  await assert.rejects(keep('', { length: 1001 }), { code: 'too-large' });
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('some');
    throw new Error('the client left');
  };
  await assert.rejects(world.uploads.keep(broken(), { maxBytes }), /the client left/);
  assert.deepEqual(await readdir(join(world.folder, 'uploads', 'incoming')), []);
  assert.deepEqual(await world.uploads.missing([hashOf('one'), 'no hash', '../../etc']), [
    hashOf('one'),
    'no hash',
    '../../etc',
  ]);
});

test('a name cannot be given to what is not here, nor one that is none', async () => {
  await using world = await open();
  const name = (given: string, hash: string): Promise<unknown> =>
    world.uploads.name([{ name: given, hash, bytes: 1 }]);
  await assert.rejects(name('a.md', hashOf('never sent')), { code: 'no-input' });
  const { hash } = await world.keep('one');
  for (const bad of ['', '/', '..', '\u0007', 'x'.repeat(1025)])
    await assert.rejects(name(bad, hash), { code: 'usage' });
  assert.deepEqual(await world.documents(), []);
});

test('what nobody names for a day goes, what is named or fresh stays', async () => {
  await using world = await open();
  await world.send('a.md', 'named');
  await world.keep('fresh');
  await world.keep('old');
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const text of ['named', 'old']) {
    const hash = hashOf(text);
    await utimes(join(world.folder, 'uploads', hash.slice(0, 2), hash), yesterday, yesterday);
  }
  const torn = join(world.folder, 'uploads', 'incoming', 'torn.part');
  await writeFile(torn, 'half');
  await utimes(torn, yesterday, yesterday);
  await world.uploads.sweep();
  assert.deepEqual(await world.contents(), [hashOf('named'), hashOf('fresh')].toSorted());
  assert.deepEqual(await readdir(join(world.folder, 'uploads', 'incoming')), []);
  await world.uploads.missing([hashOf('fresh')]);
});

test('a record that was torn or stands under another name counts for nothing', async () => {
  await using world = await open();
  await world.send('a.md', 'one');
  const names = join(world.folder, 'uploads', 'names');
  const [record = ''] = await readdir(names);
  const text = await readFile(join(names, record), 'utf8');
  await writeFile(join(names, `${'0'.repeat(32)}.${'0'.repeat(64)}`), text);
  await writeFile(join(names, `${'1'.repeat(32)}.${'1'.repeat(64)}`), text.slice(0, 10));
  assert.equal((await world.documents()).length, 1);
});

test('a full disk is said as such, and nothing half is left', (context: TestContext) => {
  const told = printedWithOwnDisk(
    context,
    join(import.meta.dirname, '../../fixtures/fills-the-disk-of-uploads.ts'),
  );
  if (told === undefined) return;
  assert.deepEqual(told, { space: 'disk-full', midst: 'disk-full', left: [], after: 'kept' });
});

test('uploads are listed behind the inputs, by keys that no file below an input has', async () => {
  await using world = await open();
  await world.send('a.md', 'one');
  for (const name of ['papers', 'uploads']) {
    await mkdir(join(world.folder, 'inputs', name), { recursive: true });
    await writeFile(join(world.folder, 'inputs', name, 'a.md'), name);
  }
  const keys = async (...inputs: string[]): Promise<string[]> => {
    const uploads = [...world.uploads.current().values()];
    const listed = listInputs(
      { inputs, from: join(world.folder, 'inputs'), uploads },
      new AbortController().signal,
    );
    const keys: string[] = [];
    for await (const { key } of listed) keys.push(key);
    return keys;
  };
  assert.deepEqual(await keys(), ['uploads//a.md']);
  assert.deepEqual(await keys('papers', 'uploads'), ['a.md', 'uploads~2//a.md', 'uploads//a.md']);
});

test('a name of which nothing can be seen is none', () => {
  for (const name of ['\u200B', '\u200B/\uFE0F', '\u3164', ' \u00A0 ', '\u202E', '/'])
    assert.throws(() => cleanName(name), /nothing of its name can be seen/, JSON.stringify(name));
  for (const name of ['a', '\u200Ba', '報告', '👩‍🔬', 'é', '-'])
    assert.equal(cleanName(name), name.normalize('NFC'));
  assert.throws(() => cleanName('a'.repeat(1025)), /has 1025 bytes, 1024 at most are wanted/);
});

test('what a name is cleaned to is relative, holds no control character, and is cleaned already', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (given) => {
      let name: string;
      try {
        name = cleanName(given);
      } catch (error) {
        assert.equal((error as { code: string }).code, 'usage');
        return;
      }
      assert.ok(!name.startsWith('/') && !/[\p{Cc}]/u.test(name), name);
      assert.ok(name.split('/').every((part) => part !== '..' && part !== '.'));
      assert.equal(cleanName(name), name);
      assert.equal(withNumberSigns(uploadKey(name)), `uploads//${name}`);
      assert.ok(!uploadKey(name).includes('#'));
    }),
  );
});
