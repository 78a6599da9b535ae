/** Equal texts of several documents and runs: embedded once, found under each of their documents. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { noStamps } from '../../src/ingest/stamps.ts';
import type { Embed } from '../../src/models/types.ts';
import { openForkedStore } from '../store/forked-host.ts';
import { encoder, vectorOf } from '../store/samples.ts';
import { denseHits, textHits } from '../store/hits.ts';

const chunker = { targetTokens: 32, overlapTokens: 0 };
const { signal } = new AbortController();
const paragraph = (word: string): string => `The ${word} is told of here at some length. `.repeat(6).trim();
const page = (...words: string[]): string => words.map(paragraph).join('\n\n');

test('a changed document embeds its new texts only, a copied folder nothing, and all are found under their own names', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'shared-vectors-'));
  const corpus = join(folder.path, 'in');
  await using parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e9, timeoutMsPerFile: 30_000 });
  await using forked = await openForkedStore(join(folder.path, 'index'));
  const { store } = forked;
  const run = async (): Promise<string[]> => {
    const sent: string[] = [];
    const embed: Embed = async ({ texts }) => {
      sent.push(...texts);
      return texts.map((text) => vectorOf(text));
    };
    await store.beginWriting(encoder, 'run');
    await ingest({ inputs: [corpus], signal }, { store, parser, embed, chunker, stamps: noStamps });
    await store.consolidate();
    return sent;
  };

  mkdirSync(join(corpus, 'one'), { recursive: true });
  writeFileSync(join(corpus, 'one/a.txt'), page('comet', 'planet', 'moon'));
  writeFileSync(join(corpus, 'one/b.txt'), page('star', 'moon'));
  const first = await run();
  assert.equal(new Set(first).size, first.length);

  writeFileSync(join(corpus, 'one/a.txt'), page('comet', 'asteroid', 'moon'));
  const second = await run();
  assert.ok(second.length > 0 && second.every((text) => text.includes('asteroid')), second.join('\n'));

  cpSync(join(corpus, 'one'), join(corpus, 'two'), { recursive: true });
  assert.deepEqual(await run(), []);
  for (const hits of [
    await textHits(store, ['moon'], 50),
    await denseHits(store, [vectorOf(first.find((text) => text.includes('moon')) ?? '')], 50),
  ]) {
    const documents = new Set(
      hits[0]?.filter(({ text }) => text.includes('moon')).map((hit) => hit.document),
    );
    assert.deepEqual([...documents].sort(), ['one/a.txt', 'one/b.txt', 'two/a.txt', 'two/b.txt']);
  }
});
