import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Program, until } from './program.ts';
import {
  corpusIn,
  inspect,
  type Inspection,
  portionsDone,
  startTask,
  summaryOf,
  writeDistinctCorpus,
} from './tasks.ts';

const documents = 200;
const tasks = [0, 1, 2, 3];

let folder: string;
let single: Inspection;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-tasks-'));
  await writeDistinctCorpus(corpusIn(folder), documents, 10);
  summaryOf(await startTask({ folder, index: 'single', task: 0 }).ended);
  single = await inspect(folder, 'single');
  assert.equal(single.documents.processed, documents);
});
after(() => rm(folder, { recursive: true }));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** The first task that has finished something, while it goes on. @returns it and the others */
async function untilInTheMiddle(index: string, programs: readonly Program[]): Promise<[Program, Program[]]> {
  const victim = await until('a task in the middle of its work', 60_000, async () => {
    const done = await Promise.all(tasks.map((task) => portionsDone(folder, index, task)));
    return programs.find((_, task) => (done[task] ?? 0) > 0);
  });
  return [victim, programs.filter((program) => program !== victim)];
}

/** Each is held as soon as it takes part, until all do: on a busy machine the first would leave the others nothing. */
async function beginTogether(index: string, programs: readonly Program[]): Promise<void> {
  try {
    await Promise.all(
      programs.map(async ({ pid }, task) => {
        await until(`task ${task} to take part`, 60_000, async () =>
          (await portionsDone(folder, index, task)) === undefined ? undefined : true,
        );
        process.kill(pid, 'SIGSTOP');
      }),
    );
  } finally {
    for (const { pid } of programs) process.kill(pid, 'SIGCONT');
  }
}

test('four tasks of an array embed every document once, and the index is that of a single run', async () => {
  // They look for the listing sixty times within this: every 0.2 s.
  const shared = { folder, index: 'four', array: 1000, takeoverSeconds: 12 };
  const programs = tasks.map((task) => startTask({ ...shared, task }));
  await beginTogether('four', programs);
  const ended = await Promise.all(programs.map((program) => program.ended));
  const summaries = ended.map(summaryOf);
  assert.equal(sum(summaries.map(({ documents: { processed } }) => processed)), documents);
  assert.equal(sum(summaries.map(({ embedded }) => embedded)), single.chunks);
  assert.ok(
    summaries.filter(({ embedded }) => embedded > 0).length > 1,
    `the work was shared: ${summaries.map(({ embedded }) => embedded).join(', ')}`,
  );
  assert.deepEqual(await inspect(folder, 'four'), single);

  assert.ok((await readdir(join(folder, 'four', 'stamps'))).length <= 1, 'the last of them tidies up');

  const late = summaryOf(await startTask({ ...shared, task: 3, restart: 1 }).ended);
  assert.deepEqual(late.documents, { processed: 0, unchanged: 0, failed: 0, needs_ocr: 0 });

  const changed = join(corpusIn(folder), '000.md');
  await writeFile(changed, `${'a new text '.repeat(20)}\n`);
  const next = { ...shared, array: 2000 };
  const again = (await Promise.all(tasks.slice(0, 2).map((task) => startTask({ ...next, task }).ended))).map(
    summaryOf,
  );
  assert.equal(
    sum(again.map(({ documents: { processed } }) => processed)),
    1,
    'a new command finds what has changed',
  );
  assert.equal(sum(again.map(({ documents: { unchanged } }) => unchanged)), documents - 1);
  await writeDistinctCorpus(corpusIn(folder), 1, 10);
});

test('the share of a task that is killed in the middle goes to the others', async () => {
  const shared = { folder, index: 'killed', array: 3000 };
  const programs = tasks.map((task) => startTask({ ...shared, task }));
  const [victim, others] = await untilInTheMiddle('killed', programs);
  process.kill(victim.pid, 'SIGKILL');
  const summaries = (await Promise.all(others.map(({ ended }) => ended))).map(summaryOf);
  assert.equal((await victim.ended).signal, 'SIGKILL');
  assert.deepEqual(await inspect(folder, 'killed'), single);
  const embedded = sum(summaries.map((each) => each.embedded));
  assert.ok(
    embedded < single.chunks,
    `${embedded} of ${single.chunks}: what it had committed is not embedded again`,
  );
});

test('a task that is suspended is taken over, and does no harm when it goes on', async () => {
  const shared = { folder, index: 'suspended', array: 4000, takeoverSeconds: 2 };
  const programs = tasks.map((task) => startTask({ ...shared, task }));
  const [victim, others] = await untilInTheMiddle('suspended', programs);
  process.kill(victim.pid, 'SIGSTOP');
  try {
    (await Promise.all(others.map(({ ended }) => ended))).map(summaryOf);
    const without = await inspect(folder, 'suspended');
    assert.deepEqual([without.documents, without.chunks], [single.documents, single.chunks]);
  } finally {
    process.kill(victim.pid, 'SIGCONT');
  }
  summaryOf(await victim.ended);
  assert.deepEqual(await inspect(folder, 'suspended'), single);
});

test('where nothing can be claimed, each task does everything and says why', async () => {
  await mkdir(join(folder, 'refused'));
  await writeFile(join(folder, 'refused', 'sharing'), 'a file, no folder');
  const shared = { folder, index: 'refused', array: 5000 };
  const ended = await Promise.all([0, 1].map((task) => startTask({ ...shared, task }).ended));
  for (const each of ended) {
    const { documents: found } = summaryOf(each);
    assert.equal(found.processed + found.unchanged, documents);
    assert.match(each.stderr, /not shared with the other tasks.*: E/);
  }
  assert.deepEqual(await inspect(folder, 'refused'), single);
});
