import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openShare, type Share } from '../../src/ingest/share.ts';

const never = new AbortController().signal;
const documents = 100;

let folder: string;
let corpus: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-share-'));
  corpus = join(folder, 'corpus');
  await mkdir(corpus);
  for (let n = 0; n < documents; n += 1) await writeFile(join(corpus, `${n}.md`), `document ${n}`);
});
after(() => rm(folder, { recursive: true }));

let warnings: string[] = [];

/** @param round tests with one round share an index */
const open = (
  round: string,
  rank: number,
  more: { name?: string; me?: string; inputs?: string[]; takeoverMs?: number } = {},
): Promise<Share> =>
  openShare({
    index: join(folder, round),
    inputs: { inputs: more.inputs ?? [corpus] },
    team: { name: more.name ?? 'job-7', me: more.me ?? `${rank}.0.0`, rank, size: 4 },
    takeoverMs: more.takeoverMs ?? 2000,
    warn: (line) => warnings.push(line),
  });

/** Takes portions as an ingest does, one behind the other. @returns the keys that were met */
async function take(share: Share, most = Infinity, signal: AbortSignal = never): Promise<string[]> {
  const keys: string[] = [];
  for await (const portion of share.portions.read(signal)) {
    for await (const { key } of portion.items) keys.push(key);
    await portion.done();
    if ((most -= 1) === 0) break;
  }
  return keys;
}

const allKeys = Array.from({ length: documents }, (_, n) => `${n}.md`).toSorted();

test('four runs meet every document once, and the last of them merges', async () => {
  const shares = await Promise.all([0, 1, 2, 3].map((rank) => open('four', rank)));
  const outcomes = await Promise.all(
    shares.map(async (share) => {
      const keys = await take(share);
      return { keys, leaves: await share.leave('finished', never) };
    }),
  );
  assert.deepEqual(outcomes.flatMap(({ keys }) => keys).toSorted(), allKeys);
  // Who is missed by the one that ends the round merges as well, which is once too often and harms nothing.
  assert.ok(outcomes.some(({ leaves }) => leaves === 'merge'));
  const left = await readdir(join(folder, 'four', 'sharing'));
  assert.deepEqual(
    left.map((name) => name.replace(/^.*\./, '')),
    ['ended'],
  );
  assert.deepEqual(warnings, []);
});

test('who comes when all is done has nothing to do; the next command looks again, and so does a new one of the same task', async () => {
  assert.equal((await open('four', 3, { me: '9.0.0' })).state, 'over');
  for (const more of [{ name: 'job-8' }, { me: '0.0.0' }]) {
    await using share = await open('four', 0, more);
    assert.equal(share.state, 'open');
    assert.equal((await take(share)).length, documents);
    assert.equal(await share.leave('finished', never), 'merge');
  }
});

test('what a run leaves when it is stopped is taken by the others at once', async () => {
  const stopped = await open('stopped', 0, { takeoverMs: 60_000 });
  const other = await open('stopped', 1, { takeoverMs: 60_000 });
  const source = stopped.portions.read(never)[Symbol.asyncIterator]();
  await source.next(); // claimed, and never done
  const taking = take(other);
  assert.equal(await stopped.leave('stopped', never), 'leave');
  assert.deepEqual((await taking).toSorted(), allKeys);
  assert.equal(await other.leave('finished', never), 'merge');
});

test('a command that was stopped as a whole lists its inputs anew', async () => {
  const inputs = [join(folder, 'growing')];
  await mkdir(inputs[0] ?? '');
  await writeFile(join(folder, 'growing', 'a.md'), 'a');
  const stopped = await open('requeued', 0, { inputs });
  await stopped.portions.read(never)[Symbol.asyncIterator]().next();
  await stopped.leave('stopped', never);
  await writeFile(join(folder, 'growing', 'b.md'), 'b');
  await using again = await open('requeued', 0, { inputs, me: '0.0.1' });
  assert.deepEqual(await take(again), ['a.md', 'b.md']);
});

test('a run that shows no sign of life is taken over, and merges what it wrote itself when it comes back', async () => {
  const silent = await open('silent', 0, { takeoverMs: 1e9 }); // it beats once in an age
  const other = await open('silent', 1, { takeoverMs: 300 });
  await silent.portions.read(never)[Symbol.asyncIterator]().next();
  assert.deepEqual((await take(other)).toSorted(), allKeys);
  assert.equal(await other.leave('finished', never), 'merge');
  assert.equal(await silent.leave('finished', never), 'merge');
});

test('a round whose files vanish or are torn is begun anew', async () => {
  const first = await open('torn', 0);
  const taking = take(first, 1);
  await taking;
  const rounds = join(folder, 'torn', 'sharing');
  const [round = ''] = await readdir(rounds);
  await truncate(join(rounds, round, 'listing'), 100);
  await using second = await open('torn', 1);
  assert.deepEqual((await take(second)).toSorted(), allKeys);
  assert.equal(await first.leave('finished', never), 'merge', 'the others have begun anew without it');
});

test('a corpus of many slices is shared by slices', async () => {
  const inputs = [join(folder, 'corpus.jsonl')];
  const line = `${JSON.stringify({ id: 1, contents: 'x'.repeat(1000) })}\n`;
  await writeFile(inputs[0] ?? '', line.repeat(3000));
  await using share = await open('slices', 0, { inputs });
  const kinds: string[] = [];
  for await (const portion of share.portions.read(never)) {
    for await (const { kind } of portion.items) kinds.push(kind);
    await portion.done();
  }
  assert.deepEqual(kinds, ['rows', 'rows', 'rows']);
});

test('where the files of a round cannot be written, a run does everything and says so', async () => {
  await mkdir(join(folder, 'refused'));
  await writeFile(join(folder, 'refused', 'sharing'), 'a file, no folder');
  warnings = [];
  await using share = await open('refused', 0);
  assert.deepEqual((await take(share)).toSorted(), allKeys);
  assert.equal(await share.leave('finished', never), 'merge');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /not shared with the other tasks.*: E/);
});

test('a run that can claim no more in the middle does the rest by itself, and its claims are free', async () => {
  warnings = [];
  const other = await open('blocked', 1, { takeoverMs: 60_000 });
  await using share = await open('blocked', 0, { takeoverMs: 60_000 });
  const source = other.portions.read(never)[Symbol.asyncIterator]();
  await source.next();
  const keys: string[] = [];
  for await (const { items } of share.portions.read(never)) {
    for await (const { key } of items) keys.push(key);
    if (warnings.length > 0) break;
    const rounds = join(folder, 'blocked', 'sharing');
    const claims = join(rounds, (await readdir(rounds))[0] ?? '', 'claims');
    await rename(claims, `${claims}.away`);
    await writeFile(claims, 'a file, no folder');
  }
  assert.deepEqual([...new Set(keys)].toSorted(), allKeys);
  assert.equal(warnings.length, 1);
  assert.equal(await share.leave('finished', never), 'merge');
  await other[Symbol.asyncDispose]();
});

test('inputs that cannot be read are told as they are', async () => {
  await using share = await open('missing', 0, { inputs: [join(folder, 'nowhere')] });
  await assert.rejects(take(share), { code: 'no-input' });
});
