import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openGpuWatch } from '../../../src/job/picture/gpu-watch.ts';
import { countOf } from '../../../src/job/picture/latencies.ts';
import { openSamples, type Samples } from '../../../src/job/picture/samples.ts';
import { watchLeaks } from '../../leaks.ts';
import { until } from '../../until.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const mark = { SAMPLES_TEST: String(process.pid) };

/** A driver of two GPUs, one at work and one at rest; it counts how often it is asked. */
async function driver(
  folder: string,
  does: string,
): Promise<{ readonly path: string; readonly asked: () => Promise<number> }> {
  const asked = join(folder, 'asked');
  await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\necho "$SAMPLES_TEST" >> ${asked}\n${does}\n`, {
    mode: 0o755,
  });
  return {
    path: `${folder}:/usr/bin:/bin`,
    asked: async () => (existsSync(asked) ? (await readFile(asked, 'utf8')).trim().split('\n').length : 0),
  };
}

const twoGpus = `echo '0, GPU-aa, 90, 1024, 81920, stand-in'; echo '1, GPU-bb, 0, 4, 81920, stand-in'`;

async function openIn(folder: string, path: string, errors: unknown[] = []): Promise<Samples> {
  return openSamples({
    folder,
    gpus: ['1', '0'],
    path,
    mark,
    everyMs: 20,
    onError: (error) => errors.push(error),
  });
}

const failure = (document: string, reason: string) => ({ document, state: 'failed', reason }) as const;

test('what a run did and how its GPUs were used is there for the next run of the job', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  const { path } = await driver(folder.path, twoGpus);
  for (const life of [1, 2]) {
    const errors: unknown[] = [];
    await using samples = await openIn(folder.path, path, errors);
    const { tell } = samples.deeds;
    tell({ deed: 'ingested', documents: 3, chunks: 40, tokens: 9000 });
    tell({ deed: 'retrieved', queries: 5, seconds: 0.01 });
    tell({ deed: 'answered', seconds: 2, timingsMs: { retrieve: 1, rerank: 1, generate: 1, total: 3 } });
    await until(() => samples.gpus().length === 2, 'a look at the GPUs');
    assert.deepEqual(
      samples.gpus().map(({ token, uuid }) => [token, uuid]),
      [
        ['1', 'GPU-bb'],
        ['0', 'GPU-aa'],
      ],
    );
    assert.equal(samples.counts().chunks, 40, 'of this run alone');
    await samples[Symbol.asyncDispose]();
    const { points } = samples.past().series;
    assert.equal(
      points.reduce((sum, { chunks }) => sum + chunks, 0),
      40 * life,
    );
    assert.equal(
      points.reduce((sum, { retrievals }) => sum + countOf(retrievals), 0),
      5 * life,
    );
    assert.equal(
      points.reduce((sum, { questions }) => sum + countOf(questions), 0),
      life,
    );
    assert.deepEqual(errors, []);
  }
});

test('documents that were set aside go on to the next run, until a run has met everything and set them aside no more', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  const life = async (use: (samples: Samples) => void): Promise<string[]> => {
    await using samples = await openIn(folder.path, '/nowhere');
    use(samples);
    return [...samples.past().setAside.listed.values()].map(
      ({ document, reason }) => `${document} ${reason}`,
    );
  };
  const first = await life(({ deeds: { tell } }) => {
    tell({ deed: 'set-aside', failure: failure('a', 'encrypted') });
    tell({ deed: 'set-aside', failure: failure('b', 'damaged') });
    tell({ deed: 'ingest-ended', complete: false });
  });
  assert.deepEqual(first, ['a encrypted', 'b damaged']);
  const second = await life(({ deeds: { tell } }) =>
    tell({ deed: 'set-aside', failure: failure('b', 'empty') }),
  );
  assert.deepEqual(second, ['a encrypted', 'b empty']);
  const third = await life(({ deeds: { tell } }) => {
    tell({ deed: 'set-aside', failure: failure('c', 'damaged') });
    tell({ deed: 'ingest-ended', complete: true });
  });
  assert.deepEqual(third, ['c damaged']);
});

test('a history that was cut short is begun anew, and a folder that takes nothing costs the history and no more', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  await writeFile(join(folder.path, 'history.json'), '{"version":1,"series":{"stepMs":5');
  const errors: unknown[] = [];
  await using samples = await openIn(folder.path, '/nowhere', errors);
  assert.equal(errors.length, 1);
  assert.deepEqual(samples.past().series.points, []);
  await using gone = await openIn(join(folder.path, 'not-there'), '/nowhere', errors);
  await gone[Symbol.asyncDispose]();
  assert.equal(errors.length, 2);
});

test('requests at the model servers are counted as they stand', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  await using samples = await openIn(folder.path, '/nowhere');
  samples.watchQueue(() => 7);
  await until(() => samples.past().series.points.some(({ queueSeconds }) => queueSeconds > 0), 'a look');
  const [point] = samples.past().series.points.filter(({ queueSeconds }) => queueSeconds > 0);
  assert.equal(samples.queue(), 7);
  assert.ok((point?.queueSeconds ?? 0) <= 7 * (point?.seconds ?? 0) + 1e-9);
});

test('a driver that does not answer is left alone, and holds nobody up', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  const { path, asked } = await driver(folder.path, 'exit 9');
  const watch = openGpuWatch({ nvidiaSmi: join(folder.path, 'nvidia-smi'), tokens: ['0'], mark, everyMs: 1 });
  watch.look();
  for (let look = 0; look < 30; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    watch.look();
  }
  assert.equal(await asked(), 1, 'not asked again for half a minute');
  assert.deepEqual(watch.now(), []);
  await watch[Symbol.asyncDispose]();
  assert.ok(path !== '');
});

test('a GPU that was told of once keeps its name when the driver falls silent, and its use is not known', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  await driver(folder.path, `[ "$(wc -l < ${join(folder.path, 'asked')})" = 1 ] || exit 9; ${twoGpus}`);
  const nvidiaSmi = join(folder.path, 'nvidia-smi');
  const watch = openGpuWatch({ nvidiaSmi, tokens: ['0'], mark, everyMs: 1 });
  watch.look();
  await until(() => watch.now().length === 1, 'an answer');
  assert.equal(watch.known()[0]?.use, 0.9);
  await until(() => watch.now().length === 0, 'its end');
  const told = { uuid: 'GPU-aa', token: '0', use: null, memoryBytes: null };
  assert.partialDeepStrictEqual(watch.known(), [told]);
  await watch[Symbol.asyncDispose]();
});

test('a question that hangs ends with the run, with the mark of the run in its environment', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-samples-'));
  const { asked } = await driver(folder.path, 'sleep 600');
  const watch = openGpuWatch({ nvidiaSmi: join(folder.path, 'nvidia-smi'), tokens: ['0'], mark, everyMs: 1 });
  watch.look();
  while ((await asked()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await readFile(join(folder.path, 'asked'), 'utf8')).trim(), mark.SAMPLES_TEST);
  const started = performance.now();
  await watch[Symbol.asyncDispose]();
  assert.ok(performance.now() - started < 3000);
});
