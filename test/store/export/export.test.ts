import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import { rowOfExport } from '../../../src/store/export/exported-row.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

const documents = Array.from({ length: 12 }, (_, n) => ({
  key: `doc-${n}`,
  title: `Title "${n}"\nin two lines`,
  texts: Array.from({ length: 1 + (n % 3) }, (_, part) => `text ${part} of ${n}\nwith lines`),
}));

const linesOf = (folder: string): string[] =>
  readFileSync(path.join(folder, 'passages.jsonl'), 'utf8').trimEnd().split('\n');

test('an export has every shown passage once, by document and position, and its vectors in that order', async () => {
  await using scratch = await scratchFolder();
  await using host = await openForkedStore(path.join(scratch.path, 'index'));
  const { store } = host;
  const target = path.join(scratch.path, 'out');
  await store.beginWriting(encoder, 'one');
  await store.append(documents.toReversed().flatMap(rowsOf));
  await store.consolidate();
  const replaced = { key: 'doc-3', edition: 'b', texts: ['another text of 3'] };
  await store.append([...rowsOf(replaced), ...rowsOf({ key: 'unfinished', texts: ['a', 'b'] }).slice(0, 1)]);
  const manifest = await store.exportTo(target, 'all');

  const shown = [...documents.filter(({ key }) => key !== 'doc-3'), replaced].flatMap(rowsOf);
  const rows = linesOf(target).map((line) => rowOfExport(line));
  const wanted = shown
    .toSorted((a, b) => (a.document < b.document ? -1 : a.document > b.document ? 1 : a.ordinal - b.ordinal))
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'vector')));
  assert.deepEqual(rows, wanted);
  assert.deepEqual([manifest.documents, manifest.passages], [12, wanted.length]);

  const npy = readFileSync(path.join(target, 'vectors.npy'));
  const start = 10 + npy.readUInt16LE(8);
  assert.equal(start % 64, 0);
  assert.match(npy.toString('latin1', 0, start), new RegExp(`'shape': \\(${wanted.length}, 8\\)`));
  assert.equal(npy.length, start + wanted.length * 8 * 4);
  for (const [at, row] of wanted.entries()) {
    for (const [k, value] of vectorOf(String(row['text'])).entries())
      assert.ok(Math.abs(npy.readFloatLE(start + (at * 8 + k) * 4) - value) < 1e-3);
  }
  for (const { name, bytes, sha256 } of manifest.files) {
    const content = readFileSync(path.join(target, name));
    assert.deepEqual([content.length, createHash('sha256').update(content).digest('hex')], [bytes, sha256]);
  }
  assert.deepEqual(JSON.parse(readFileSync(path.join(target, 'manifest.json'), 'utf8')), manifest);
});

test('two exports of the same passages are the same files, however the tables lie', async () => {
  await using scratch = await scratchFolder();
  await using host = await openForkedStore(path.join(scratch.path, 'index'));
  const { store } = host;
  await store.beginWriting(encoder, 'one');
  await store.append(documents.slice(4).flatMap(rowsOf));
  await store.consolidate();
  await store.append(documents.slice(0, 4).flatMap(rowsOf));
  const before = await store.exportTo(path.join(scratch.path, 'a'), 'all');
  await store.consolidate();
  const after = await store.exportTo(path.join(scratch.path, 'a'), 'all');
  assert.deepEqual(after, before);
});

test('a folder with other files in it is not exported to', async () => {
  await using scratch = await scratchFolder();
  await using host = await openForkedStore(path.join(scratch.path, 'index'));
  const target = path.join(scratch.path, 'mine');
  await assert.rejects(host.store.exportTo(target, 'all'), (error) => codeOf(error) === 'no-input');
  await host.store.beginWriting(encoder, 'one');
  mkdirSync(target);
  writeFileSync(path.join(target, 'thesis.tex'), '');
  await assert.rejects(host.store.exportTo(target, 'all'), (error) => codeOf(error) === 'usage');
  assert.deepEqual(readdirSync(target), ['thesis.tex']);
});

test('texts alone are exported without vectors', async () => {
  await using scratch = await scratchFolder();
  await using host = await openForkedStore(path.join(scratch.path, 'index'));
  const target = path.join(scratch.path, 'out');
  await host.store.beginWriting(encoder, 'one');
  await host.store.append(documents.flatMap(rowsOf));
  await host.store.exportTo(target, 'texts only');
  assert.deepEqual(readdirSync(target).sort(), ['manifest.json', 'passages.jsonl']);
});

test('a passage that two runs have written stands once in an export', async () => {
  await using scratch = await scratchFolder();
  const index = path.join(scratch.path, 'index');
  await using one = await openForkedStore(index);
  await using two = await openForkedStore(index);
  for (const { store } of [one, two]) {
    await store.beginWriting(encoder, 'run');
    await store.append(documents.flatMap(rowsOf));
  }
  const target = path.join(scratch.path, 'out');
  const { passages } = await one.store.exportTo(target, 'all');
  assert.deepEqual([passages, linesOf(target).length], [24, 24]);
});
