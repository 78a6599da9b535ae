import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLooks } from '../../../src/ingest/seen.ts';
import { nextPauseMs, watchFolders } from '../../../src/job/documents/folder-watch.ts';
import type { IngestReport, IngestRequest } from '../../../src/work.ts';

const nothing: IngestReport = {
  documents: { processed: 0, unchanged: 0, failed: 0, needs_ocr: 0 },
  removed: 0,
  chunks: 0,
  embedded: 0,
  failures: [],
  seconds: 0,
  complete: true,
};
const one: IngestReport = { ...nothing, documents: { ...nothing.documents, processed: 1 }, chunks: 3 };

/** Runs the watch with these looks one after the other, then stops it. */
async function watch(
  lookAt: ReadonlyArray<(request: IngestRequest) => IngestReport>,
): Promise<{ sum: IngestReport; said: string[] }> {
  const stop = new AbortController();
  const looks = makeLooks();
  looks.endLook(true);
  const said: string[] = [];
  let nth = 0;
  const ingest = async (request: IngestRequest): Promise<IngestReport> => {
    const look = lookAt[nth++];
    if (nth >= lookAt.length) stop.abort();
    return look?.(request) ?? nothing;
  };
  const log = (level: string, line: string): void => void said.push(`${level}: ${line}`);
  const options = { work: { ingest }, inputs: ['papers'], looks, leastPauseMs: 1, log };
  return { sum: await watchFolders(options, one, stop.signal), said };
}

const meets =
  (state: string, report: IngestReport) =>
  ({ seen }: IngestRequest): IngestReport =>
    seen?.isDue('a.md', state) === true ? report : nothing;

test('a new file is ingested once it stays as it is, and is counted with the first ingest', async () => {
  const { sum, said } = await watch([
    meets('1', one),
    meets('2', one),
    meets('2', one),
    meets('2', one),
    () => nothing,
  ]);
  assert.equal(sum.documents.processed, 2);
  assert.equal(sum.chunks, 6);
  assert.ok(sum.complete);
  assert.deepEqual(said, ['info: new files: 1 processed, 0 unchanged, 0 failed, 0 without text']);
});

test('a new file that is set aside is named', async () => {
  const failed: IngestReport = {
    ...nothing,
    documents: { ...nothing.documents, failed: 1 },
    failures: [{ document: 'a.md', state: 'failed', reason: 'empty' }],
  };
  const { said } = await watch([meets('1', failed), meets('1', failed), () => nothing]);
  assert.equal(said.at(-1), 'warn: set aside: a.md: empty');
});

test('what fails is told once, again after it went well, and tried again each time', async () => {
  const fails = (): never => {
    throw new Error('the folder is gone');
  };
  const { sum, said } = await watch([fails, fails, () => nothing, fails, () => nothing]);
  assert.ok(sum.complete);
  const line = 'warn: new files cannot be ingested: the folder is gone';
  assert.deepEqual(said, [line, line]);
});

test('work is left only when files were being ingested as it stopped', async () => {
  const stopped = { ...nothing, complete: false };
  const midst = await watch([meets('1', one), meets('1', stopped)]);
  assert.ok(!midst.sum.complete);
  const idle = await watch([() => nothing, () => stopped]);
  assert.ok(idle.sum.complete);
});

test('a stop ends the pause at once', async () => {
  const stop = new AbortController();
  const ingest = (): Promise<IngestReport> => Promise.resolve(nothing);
  const options = {
    work: { ingest },
    inputs: [],
    looks: makeLooks(),
    leastPauseMs: 1e6,
    log: () => undefined,
  };
  const watching = watchFolders(options, nothing, stop.signal);
  stop.abort();
  await watching;
});

test('looking takes a twentieth of the time at most, a third where files are too many; a file that changes is looked at sooner', () => {
  assert.equal(nextPauseMs(10, false, 30_000), 30_000);
  assert.equal(nextPauseMs(10, true, 30_000), 5000);
  assert.equal(nextPauseMs(10_000, false, 30_000), 200_000);
  assert.equal(nextPauseMs(10_000, true, 30_000), 200_000);
  assert.equal(nextPauseMs(120_000, false, 30_000), 900_000);
  assert.equal(nextPauseMs(3_600_000, false, 30_000), 7_200_000);
});
