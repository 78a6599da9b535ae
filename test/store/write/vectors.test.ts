/** Which texts the index has vectors of. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { digestBits, textHash } from '../../../src/store/digest.ts';
import { makeTextFilter } from '../../../src/store/write/text-filter.ts';
import type { Store } from '../../../src/store/types.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

/** Texts of these of which the store has the vectors; fails when one is not what was stored. */
async function known(store: Store, ...texts: string[]): Promise<string[]> {
  const found = await store.vectorsOf(texts.map((text) => textHash(text)));
  const have = texts.filter((text) => found.has(textHash(text)));
  for (const text of have) {
    const vector = found.get(textHash(text)) ?? assert.fail();
    const wanted = vectorOf(text);
    assert.equal(vector.length, wanted.length);
    assert.ok(
      vector.every((value, at) => Math.abs(value - (wanted[at] ?? 9)) < 1e-3),
      text,
    );
  }
  return have;
}

for (const type of ['f16', 'f32'] as const) {
  test(`texts are found in every table, complete or not, with their vectors: ${type}`, async () => {
    await using folder = await scratchFolder();
    await using forked = await openForkedStore(folder.path);
    const { store } = forked;
    await store.beginWriting({ ...encoder, type }, 'run');
    assert.deepEqual(await known(store, 'one', 'two'), []);
    await store.append(rowsOf({ key: 'a', title: 'A title\nof lines', texts: ['one', 'two'] }));
    assert.deepEqual(await known(store, 'one', 'two', 'three', ''), ['one', 'two']);
    await store.consolidate();
    await store.append(rowsOf({ key: 'b', texts: ['three', 'four'] }).slice(0, 1));
    assert.deepEqual(await known(store, 'one', 'three', 'four'), ['one', 'four']);
    await forked.kill();
    assert.deepEqual(await known(store, 'five', 'one', 'four'), ['one', 'four']);
  });
}

test('a text filter never misses a text, and takes few others for one', () => {
  const filter = makeTextFilter();
  const count = 50_000;
  const digest = (n: number): number => digestBits(textHash(`text ${n}`));
  assert.equal(filter.mayHave(digest(0)), false);
  for (let n = 0; n < count; n++) filter.add(digest(n));
  let wrong = 0;
  for (let n = 0; n < count; n++) {
    assert.ok(filter.mayHave(digest(n)));
    if (filter.mayHave(digest(count + n))) wrong += 1;
  }
  assert.ok(wrong < 5, `${wrong} of ${count}`);
});

const others: ReadonlyArray<readonly [what: string, from: string, to: string, found: RegExp]> = [
  ['an older format', '"format": 3', '"format": 1', /its format is 1 with words-1, 3 with words-1 is wanted/],
  ['other words', '"words-1"', '"words-0"', /its format is 3 with words-0, 3 with words-1 is wanted/],
];
for (const [what, from, to, message] of others) {
  test(`an index of ${what} is refused, with what to do`, async () => {
    await using folder = await scratchFolder();
    await using forked = await openForkedStore(folder.path);
    await forked.store.beginWriting(encoder, 'run');
    await forked.kill();
    const record = path.join(folder.path, 'index.json');
    await writeFile(record, (await readFile(record, 'utf8')).replace(from, to));
    await using old = await openForkedStore(folder.path);
    for (const ask of [
      () => old.store.beginWriting(encoder, 'run'),
      () => old.store.inspect(),
      () => old.store.encoder(),
    ])
      await assert.rejects(ask, { code: 'index-mismatch', message, hint: /mv .*\.old/ });
  });
}
