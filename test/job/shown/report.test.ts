import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addPhase, addService, type HistoryEvent, phaseSpans } from '../../../src/job/life/history.ts';
import { nothingDone } from '../../../src/job/picture/deeds.ts';
import { noPast } from '../../../src/job/picture/past.ts';
import { addRun, reporting, type ReportInput } from '../../../src/job/shown/report.ts';
import { slurmJob } from '../../slurm/fake-tools.ts';

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const child = { id: 'ollama-embed', restarts: 1, reason: 'was ended by SIGKILL' };

function makeHistory(): readonly HistoryEvent[] {
  let history = addPhase([], 'starting', at(0));
  history = addService(history, { ...child, current: { state: 'starting', pid: 1, since: 0 } }, at(1));
  history = addService(history, { ...child, current: { state: 'ready', pid: 1, since: 0 } }, at(2));
  history = addPhase(history, 'ingest', at(3));
  history = addPhase(history, 'ingest', at(4));
  const restarting = { state: 'restarting', at: 0, reason: 'was ended by SIGKILL' } as const;
  return addService(history, { ...child, current: restarting }, at(5));
}

test('a history has every phase once, and of a service what a reader asks about', () => {
  const history = makeHistory();
  assert.deepEqual(
    phaseSpans(history, at(9)).map(({ phase, seconds }) => [phase, seconds]),
    [
      ['starting', 3],
      ['ingest', 6],
    ],
  );
  const services = history.filter((event) => event.what === 'service');
  assert.deepEqual(
    services.map(({ state, reason }) => [state, reason]),
    [
      ['ready', null],
      ['restarting', 'was ended by SIGKILL'],
    ],
  );
});

test('the report of a job spans its restarts, and one that was torn is begun anew', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-report-'));
  const run = async (name: string, restart: number): Promise<void> => {
    let clock = 0;
    const errors: unknown[] = [];
    const prepared = {
      settings: { OLLAMA_HOST: `node17:80/t/${'x'.repeat(43)}` },
      job: { ...slurmJob, restart },
      plan: { gpus: ['0', '1'], instances: [{ id: 'ollama-embed', role: 'embed', model: 'm', gpus: ['0'] }] },
      intent: {},
      environment: { SLURM_JOB_ID: '12', SECRET: 'x' },
    };
    const input = {
      prepared,
      run: name,
      version: '1',
      folder: dir.path,
      now: () => at((clock += 30)),
      onError: (error: unknown) => errors.push(error),
    };
    const status = () => ({
      services: [],
      outcome: { exit: 75, reason: 'stopped' },
      progress: {},
      endpoint: {},
      warnings: [`see http://node17:80/t/${'x'.repeat(43)}/`],
    });
    const ingested = () => ({
      chunks: 2,
      embedded: 2,
      tokens: 600,
      seconds: 30,
      documentsDone: 1,
      documentsTotal: 1,
      failed: 0,
    });
    const samples = { past: () => noPast, counts: () => nothingDone, gpus: () => [] };
    const told = { history: makeHistory, status, ingested, samples } as never;
    assert.equal(await reporting(input as unknown as ReportInput, told, () => Promise.resolve(name)), name);
    assert.deepEqual(errors, []);
  };
  const read = async (file: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(dir.path, file), 'utf8')) as Record<string, unknown>;
  await run('a', 0);
  await run('b', 1);
  const record = await read('run.json');
  assert.deepEqual([record['run'], record['slurm']], ['b', { SLURM_JOB_ID: '12' }]);
  assert.deepEqual(record['settings'], { OLLAMA_HOST: 'node17:80/t/...' });
  const report = await read('report.json');
  const runs = report['runs'] as { run: string; gpu_hours: number }[];
  assert.deepEqual(
    runs.map((each) => each.run),
    ['a', 'b'],
  );
  assert.equal(report['seconds'], 60);
  assert.equal(report['gpu_hours'], (4 * 30) / 3600);
  const page = await readFile(join(dir.path, 'report.html'), 'utf8');
  assert.match(page, /2 runs/);
  assert.equal(page.match(/>75: stopped/g)?.length, 2);
  assert.doesNotMatch(page, /x{43}/, 'no token is handed round');
  await writeFile(join(dir.path, 'report.json'), '{"runs": [');
  await run('c', 2);
  assert.equal(((await read('report.json'))['runs'] as unknown[]).length, 1);
});

test('a folder that takes nothing costs the records of a run, and no more', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-report-'));
  const errors: unknown[] = [];
  const prepared = {
    settings: {},
    job: slurmJob,
    plan: { gpus: [], instances: [] },
    intent: {},
    environment: {},
  };
  const input = {
    prepared,
    run: 'a',
    version: '1',
    folder: join(dir.path, 'gone'),
    now: () => at(1),
    onError: (error: unknown) => errors.push(error),
  };
  const told = { history: makeHistory, status: () => assert.fail('a bug of whoever tells') } as never;
  assert.equal(await reporting(input as unknown as ReportInput, told, () => Promise.resolve('done')), 'done');
  assert.equal(errors.length, 3, 'run.json, report.json, report.html');
});

test('what a report says of a run is replaced by what is known later, and counted once', () => {
  let report: Parameters<typeof addRun>[0] = { seconds: 0, gpu_hours: 0, runs: [] };
  for (const [run, seconds] of [
    ['a', 10],
    ['b', 5],
    ['a', 30],
    ['a', 40],
  ] as const)
    report = addRun(report, { run, seconds, gpu_hours: seconds / 10 });
  assert.deepEqual([report.seconds, report.gpu_hours], [45, 4.5]);
  assert.deepEqual(
    report.runs.map(({ run, seconds }) => [run, seconds]),
    [
      ['b', 5],
      ['a', 40],
    ],
  );
});

test('the sums are of all runs of a job, also of those that its report no longer tells of', () => {
  let report: Parameters<typeof addRun>[0] = { seconds: 0, gpu_hours: 0, runs: [] };
  for (let run = 0; run < 250; run += 1)
    report = addRun(report, { run: String(run), seconds: 2, gpu_hours: 1 });
  assert.deepEqual([report.seconds, report.gpu_hours, report.runs.length], [500, 250, 200]);
  assert.equal(report.runs.at(-1)?.run, '249');
});
