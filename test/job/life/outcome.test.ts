import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeIntent, planMode } from '../../../src/job/prepare/intent.ts';
import { makeExitCode, outcomeText } from '../../../src/job/life/outcome.ts';
import { stopText } from '../../../src/job/life/stop-reason.ts';
import { nextPhase, type Phase, type PhaseEvent } from '../../../src/job/life/phase.ts';

const report = (failed: number, complete = true) => ({
  documents: { processed: 90, unchanged: 10 - failed, failed, needs_ocr: 0 },
  removed: 0,
  chunks: 1,
  embedded: 1,
  failures: [],
  seconds: 1,
  complete,
});
const done = { ingest: report(0), workLeft: false };
const percent = { percent: 5 };

test('makeExitCode() is 0, 3 or 75', () => {
  assert.equal(makeExitCode(done, percent), 0);
  assert.equal(makeExitCode({ ...done, ingest: report(5) }, percent), 0);
  assert.equal(makeExitCode({ ...done, ingest: report(6) }, percent), 3);
  assert.equal(makeExitCode({ ...done, ingest: report(2) }, { count: 1 }), 3);
  assert.equal(makeExitCode({ ingest: report(9, false), workLeft: true }, percent), 75);
  assert.equal(makeExitCode({ ingest: null, workLeft: false }, percent), 0);
});

test('a run with a workload ends as that did, but for one that was stopped before its work was done', () => {
  const ended = (code: number | null, signal: NodeJS.Signals | null, workLeft = false): number =>
    makeExitCode({ ingest: report(99), workLeft, workload: { code, signal } }, percent);
  assert.deepEqual([ended(0, null), ended(7, null), ended(null, 'SIGKILL')], [0, 7, 137]);
  assert.equal(ended(null, 'SIGTERM', true), 75);
});

test('an end before its time is told with its reason, the wall time in words', () => {
  const over = new AbortController();
  const warning = { signal: 'SIGUSR2', over: over.signal };
  const left = { ingest: null, workLeft: true };
  const text = (reason: unknown, seconds: number | null): string =>
    outcomeText(75, { ...left, stopped: stopText(reason, seconds) }, { percent: 5 });
  assert.match(
    text(warning, 100),
    /^stopped with work left \(its wall time neared\), the same command goes on$/,
  );
  over.abort();
  assert.match(text(warning, 0), /its wall time was over, which Slurm calls TIMEOUT/);
  assert.match(text(warning, 60), /SIGTERM after the warning/);
  assert.match(text({ signal: 'SIGTERM' }, 3), /TIMEOUT/);
  assert.match(text({ signal: 'SIGTERM' }, 3600), /\(SIGTERM\)/);
  assert.match(text({ signal: 'SIGINT' }, null), /\(SIGINT\)/);
  assert.equal(outcomeText(0, { ...left, workLeft: false, stopped: undefined }, { percent: 5 }), 'done');
  assert.equal(
    outcomeText(0, { ...left, workLeft: false, stopped: 'SIGTERM' }, { percent: 5 }),
    'done (SIGTERM)',
  );
});

const settings = (RAG_WORKER_MODE: string, RAG_INPUT_FILE?: string) => ({
  RAG_WORKER_MODE,
  RAG_INPUT_FILE,
  RAG_CORPUS: undefined,
  RAG_DB_DIR: undefined,
});
const intentOf = (mode: string, input: string | undefined, query: string | undefined, insideJob: boolean) =>
  makeIntent({ settings: settings(mode, input), query, insideJob });

test('makeIntent() serves inside a job, does what was given outside one, and else shows itself', () => {
  assert.deepEqual(intentOf('auto', 'a\nb', undefined, true).intent, { kind: 'serve', inputs: ['a', 'b'] });
  assert.deepEqual(intentOf('auto', 'a', 'why?', false).intent, {
    kind: 'given',
    inputs: ['a'],
    query: 'why?',
  });
  assert.deepEqual(intentOf('auto', undefined, undefined, false).intent, { kind: 'dry-run' });
});

test('makeIntent() takes any other mode as a tag, with a warning', () => {
  const { intent, warnings } = intentOf('kg-update', undefined, undefined, true);
  assert.equal(intent.kind, 'serve');
  assert.match(warnings.join(), /kg-update/);
});

test('makeIntent() wants input to ingest and a question to answer', () => {
  assert.throws(() => intentOf('ingest', undefined, undefined, false), /no input is given/);
  assert.throws(() => intentOf('query', undefined, ' ', true), /no question is given/);
});

test('makeIntent() ingests a named corpus beside the given files, and not where a run only answers', () => {
  const named = (mode: string, query?: string, input?: string): unknown =>
    makeIntent({
      settings: { ...settings(mode, input), RAG_CORPUS: 'MedText', RAG_DB_DIR: '/med' },
      query,
      insideJob: false,
    }).intent;
  const corpus = ['/med/textbooks/chunk', '/med/statpearls/chunk'];
  assert.deepEqual(named('ingest', undefined, 'a'), { kind: 'given', inputs: ['a', ...corpus], query: null });
  assert.deepEqual(named('serve'), { kind: 'serve', inputs: corpus });
  assert.deepEqual(named('query', 'why?'), { kind: 'given', inputs: [], query: 'why?' });
});

test('planMode() starts only what is needed', () => {
  assert.equal(planMode(intentOf('ingest', 'a', undefined, true).intent), 'ingest');
  assert.equal(planMode(intentOf('auto', 'a', 'why?', false).intent), 'query');
  assert.equal(planMode(intentOf('serve', 'a', undefined, true).intent), 'serve');
});

test('nextPhase() walks from starting to ended and ignores what does not fit', () => {
  const walk = (...events: PhaseEvent[]): Phase => events.reduce<Phase>(nextPhase, 'starting');
  assert.equal(walk('ingest-begins', 'answering-begins', 'stop', 'stopped'), 'ended');
  assert.equal(walk('stop', 'ingest-begins'), 'draining');
  assert.equal(walk('stop', 'stop', 'stopped', 'answering-begins'), 'ended');
});

test('makeIntent() does not drop a question in a job that serves', () => {
  assert.throws(() => intentOf('auto', undefined, 'why?', true), /a service answers at its endpoint/);
});

test('the words after "--" are a workload, which has no place beside a single piece of work', () => {
  const workload = ['python', 'train.py', '--topk', '3'];
  const given = { query: undefined, insideJob: false, workload };
  const { intent } = makeIntent({ ...given, settings: settings('auto', 'a') });
  assert.deepEqual(intent, { kind: 'workload', inputs: ['a'], command: workload });
  assert.equal(planMode(intent), 'workload');
  assert.throws(() => makeIntent({ ...given, settings: settings('ingest', 'a') }), { code: 'usage' });
  assert.throws(() => makeIntent({ ...given, query: 'q', settings: settings('auto') }), { code: 'usage' });
});
