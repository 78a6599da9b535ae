/** Texts that hang every runner that gets them: they are set aside, and what was under way with them is not. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { noStamps } from '../../src/ingest/stamps.ts';
import { storeHostSpec } from '../../src/services/store-host.ts';
import { openStore } from '../../src/store/wire/client.ts';
import type { Channel } from '../../src/supervise/spec.ts';
import { watchLeaks } from '../leaks.ts';
import { encoder } from '../store/samples.ts';
import { openBench, soon } from './serving.ts';
import { poison, startWatched } from './watching.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

for (const until of ['left', 'killed', 'exit']) {
  test(`a text that hangs every runner is set aside, the others are embedded (cured when ${until})`, async () => {
    await using bench = await openBench();
    const watched = await startWatched(bench, { ...poison, FAKE_RUNNER_HANG_UNTIL: until });
    const embed = (texts: readonly string[]) => watched.embed({ texts, kind: 'passage', signal: soon() });
    const bad = embed(['a', 'b', 'poison', 'c', 'd']).catch((error: unknown) => error);
    // Innocents that are under way at the same time, as in every ingest.
    const [good, alsoGood] = await Promise.all([embed(['e', 'f']), embed(['g'])]);
    assert.deepEqual([good.length, alsoGood.length], [2, 1]);
    const error = (await bad) as { code: string; index: number };
    assert.deepEqual([error.code, error.index], ['model-refused', 2]);
    assert.equal(watched.hangs.filter(({ reason }) => reason !== undefined).length, 3);
  });
}

test('an ingest with a text that hangs every runner fails that document, and no other', async () => {
  await using bench = await openBench();
  const input = path.join(bench.dir, 'input');
  await mkdir(input);
  const text = (at: number) =>
    Array.from({ length: 20 }, (_, line) => `Whale ${at} ate ${line} krill.`).join('\n\n');
  for (let at = 0; at < 20; at += 1)
    await writeFile(path.join(input, `${at}.txt`), at === 7 ? `${text(at)}\n\npoison` : text(at));
  const watched = await startWatched(bench, poison);
  const host = storeHostSpec({
    dir: path.join(bench.dir, 'index'),
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    cwd: bench.dir,
    logFile: path.join(bench.dir, 'store.log'),
    graceMs: 5_000,
    supervisorId: 'test.1',
  });
  const stores = bench.start(host);
  const untilChannel = async (signal: AbortSignal): Promise<Channel> => {
    await stores.untilReady(['store'], signal);
    return stores.running('store')?.channel ?? assert.fail();
  };
  const { signal } = new AbortController();
  await using store = openStore({ untilChannel, signal });
  await store.beginWriting({ ...encoder, dimensions: 64 }, 'run');
  const chunker = { targetTokens: 32, overlapTokens: 0 };
  await using parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e6, timeoutMsPerFile: 30_000 });
  const parts = { store, parser, embed: watched.embed, chunker, stamps: noStamps };
  const report = await ingest({ inputs: [input], signal }, parts);
  assert.deepEqual([report.complete, report.documents.processed, report.documents.failed], [true, 19, 1]);
  assert.equal(watched.restarts(), 0);
});
