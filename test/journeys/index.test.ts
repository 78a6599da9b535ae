/** What users do to an index: count it, take documents out, prove it sound. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram, type Ended } from './program.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-index-'));
  mkdirSync(join(folder, 'in/drafts'), { recursive: true });
  for (const name of ['a.txt', 'b.txt', 'drafts/c.txt', 'drafts/d.txt'])
    writeFileSync(join(folder, 'in', name), `The text of ${name} is about nothing else.`);
});
after(() => rm(folder, { recursive: true }));

const run = (...words: string[]): Promise<Ended> =>
  runProgram(words, { cwd: folder, env: { RAG_ENGINE: 'embedded' } });
const json = async <Value>(...words: string[]): Promise<Value> => {
  const { code, stdout, stderr } = await run(...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Value;
};
const processed = async (): Promise<number> =>
  (await json<{ documents: { processed: number } }>('index', 'inspect')).documents.processed;

interface Summary {
  readonly documents: { readonly processed: number; readonly unchanged: number };
  readonly removed: number;
}

test('documents are listed, removed, removed again, and come back with the next ingest; pruned they stay away', async () => {
  assert.equal((await json<Summary>('ingest', '--here', 'in')).documents.processed, 4);
  const listed = await run('index', 'remove', 'drafts/**', 'file:in/a.txt');
  assert.equal(listed.code, 0, listed.stderr);
  assert.equal(listed.stdout, 'a.txt\ndrafts/c.txt\ndrafts/d.txt\n3 would be removed: add --yes\n');
  assert.equal(await processed(), 4);

  const words = ['index', 'remove', 'drafts/**', '--yes'];
  assert.deepEqual(await json(...words), { removed: 2, documents: ['drafts/c.txt', 'drafts/d.txt'] });
  assert.deepEqual(await json(...words), { removed: 0, documents: [] });
  assert.equal((await run('index', 'remove', 'drafts/**')).stdout, 'nothing in the index has such a name\n');
  assert.equal(await processed(), 2);
  const found = await run('retrieve', '--here', 'text of drafts c', '--topk', '9');
  assert.doesNotMatch(found.stdout, /drafts\/c/);

  const again = await json<Summary>('ingest', '--here', 'in');
  assert.deepEqual([again.documents.processed, again.removed], [2, 0]);
  rmSync(join(folder, 'in/drafts'), { recursive: true });
  const pruned = await json<Summary>('ingest', '--here', 'in', '--prune');
  assert.deepEqual([pruned.documents.processed, pruned.removed], [0, 2]);
  assert.equal(await processed(), 2);
});

test('a question in this process keeps no logs, so it asks for no place for them', async () => {
  const env = { RAG_ENGINE: 'embedded', LOG_ROOT: '/dev/null', RAG_RUNTIME_STATE: '/dev/null' };
  const { code, stderr } = await runProgram(['retrieve', '--here', 'text of a'], { cwd: folder, env });
  assert.equal(code, 0, stderr);
});

test('a sound index verifies with 0 and a damaged one with 74 and the mend', async () => {
  const sound = await run('index', 'verify');
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(
    sound.stdout,
    /2 documents, 2 chunks, 0 shards not merged\n  vectors: every one is compared\nok\n/,
  );
  assert.equal((await run('index', 'compact')).code, 0);
  const data = join(folder, 'rag-data/rag_storage/main.lance/data');
  for (const name of readdirSync(data)) truncateSync(join(data, name), 50);
  const damaged = await run('index', 'verify');
  assert.equal(damaged.code, 74, damaged.stderr);
  assert.match(damaged.stdout, /main cannot be read: .*\n +mend: mv /);
});

test('an action that there is not, and a removal of nothing, are usage errors', async () => {
  for (const words of [['index'], ['index', 'inspct'], ['index', 'remove']]) {
    const { code, stderr } = await run(...words);
    assert.equal(code, 64);
    assert.match(stderr, /hint: /);
  }
});

test('what is set aside is named, a line each, by an ingest and by a run, and an exit of 3 says why', async () => {
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken', 'a\nb\u001B[2J.txt'), '');
  const place = ['broken', '--working-dir', 'other'];
  const given = await run('ingest', '--here', ...place);
  assert.equal(given.code, 3, given.stderr);
  assert.equal(given.stdout, '0 processed, 0 unchanged, 1 failed, 0 without text\n  a b[2J.txt: empty\n');
  assert.match(given.stderr, /1 of 1 documents failed, more than RAG_MAX_FAILED=5% allows\n$/);
  const ran = await run('run', '--mode', 'ingest', '--input-file', ...place);
  assert.equal(ran.code, 3, ran.stderr);
  assert.match(ran.stderr, /warn: set aside: a b\[2J\.txt: empty\n/);
});
