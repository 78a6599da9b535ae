import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram, startProgram, until } from './program.ts';
import { corpusIn, inspect, startTask, summaryOf } from './tasks.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-watch-'));
});
after(() => rm(folder, { recursive: true }));

test('files that come while a job serves are ingested when they are whole, and a stop is obeyed at once', async () => {
  const papers = join(folder, 'papers');
  await mkdir(papers);
  await writeFile(join(papers, 'first.md'), '# First\n\nThe lantern is green.\n');
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    TMPDIR: folder,
    RAG_WATCH_SECONDS: '1',
  };
  const documents = async (): Promise<number> => {
    const { stdout } = await runProgram(['index', 'inspect', '--json'], { env });
    return (JSON.parse(stdout) as { documents: { processed: number } }).documents.processed;
  };
  const isThere = (count: number): Promise<true> =>
    until(`${count} documents`, 40_000, async () => ((await documents()) === count ? true : undefined));
  const serving = startProgram(['run', '--mode', 'serve', '--input-file', papers, '--json'], { env });
  const early = serving.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  await Promise.race([
    until('an index', 40_000, () =>
      readFile(join(folder, 'shared/rag_storage/index.json')).catch(() => undefined),
    ),
    early,
  ]);
  await Promise.race([isThere(1), early]);

  const growing = await open(join(papers, 'growing.md'), 'w');
  const writing = setInterval(() => void growing.write('The harbour was closed again. '), 200);
  await writeFile(join(papers, 'second.md'), '# Second\n\nThe violin is red.\n');
  await Promise.race([isThere(2), early]);
  clearInterval(writing);
  await growing.close();
  await Promise.race([isThere(3), early]);

  early.catch(() => {});
  const stopping = performance.now();
  process.kill(serving.pid, 'SIGTERM');
  const { code, stdout, stderr } = await serving.ended;
  assert.equal(code, 0, stderr);
  assert.ok(performance.now() - stopping < 15_000);
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { documents: { processed: number } };
  assert.equal(summary.documents.processed, 3);
  assert.equal(stderr.match(/new files: 1 processed/g)?.length, 2, stderr);
});

test('the task that looks for new files ingests them where the others had ingested everything before it began', async () => {
  await mkdir(corpusIn(folder));
  await writeFile(join(corpusIn(folder), 'first.md'), '# First\n\nThe lantern is green.\n');
  const shared = { folder, index: 'late', array: 100 };
  summaryOf(await startTask({ ...shared, task: 1 }).ended);
  const serving = startTask({ ...shared, task: 0, mode: 'serve', watchSeconds: 1 });
  const early = serving.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  await writeFile(join(corpusIn(folder), 'second.md'), '# Second\n\nThe violin is red.\n');
  await Promise.race([
    until('2 documents', 30_000, async () =>
      (await inspect(folder, 'late')).documents.processed === 2 ? true : undefined,
    ),
    early,
  ]);
  early.catch(() => {});
  process.kill(serving.pid, 'SIGTERM');
  assert.doesNotMatch((await serving.ended).stderr, /cannot be ingested/);
});
