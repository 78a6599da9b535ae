import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, RagError } from '../../../src/errors.ts';
import { type Layouts, type LayoutsInput, makeLayouts } from '../../../src/job/life/layouts.ts';
import { whyPostponed } from '../../../src/job/shown/postponed.ts';
import { nextPhase, type Phase, type PhaseEvent } from '../../../src/job/life/phase.ts';
import type { Instance } from '../../../src/plan/types.ts';

const { signal } = new AbortController();
const instances: readonly Instance[] = [
  { id: 'generate', role: 'generate', model: 'm', gpus: ['0', '1'], layout: 'answering' },
  { id: 'embed-1', role: 'embed', model: 'e', gpus: ['0'], layout: 'ingest' },
  { id: 'embed-2', role: 'embed', model: 'e', gpus: ['1'], layout: 'ingest' },
  { id: 'embed-ask', role: 'embed', model: 'e', gpus: [], layout: 'answering' },
  { id: 'reranker', role: 'rerank', model: 'r', gpus: ['2'] },
];

interface Stage {
  readonly layouts: Layouts;
  /** What was done, in order. */
  readonly done: string[];
  inFlight: number;
  /** Told of each step. */
  onStep: (what: string) => void;
}

function stage(more: Partial<LayoutsInput> = {}): Stage {
  const done: string[] = [];
  const does = (what: string): void => {
    done.push(what);
    self.onStep(what);
  };
  const log = Object.assign(() => {}, { file: () => {} }) as unknown as LayoutsInput['log'];
  const self = { done, inFlight: 0, onStep: (_what: string): void => {} };
  const layouts = makeLayouts({
    plan: { instances },
    tree: {
      start: (ids) => does(`start ${ids.join(' ')}`),
      end: async (ids) => does(`end ${ids.join(' ')}`),
      untilReady: async (ids) => does(`ready ${ids.join(' ')}`),
    },
    served: { retire: (ids) => (does(`retire ${ids.join(' ')}`), ids.map((id) => `http://${id}`)) },
    flights: { traffic: () => ({ inFlight: self.inFlight, heard: 0, served: 0 }) },
    gpuMemory: { note: async () => does('note'), untilEndedFree: async () => (does('free'), []) },
    watch: { phase: does },
    onStarted: async () => does('started'),
    log,
    ...more,
  });
  return Object.assign(self, { layouts });
}

const whole = [
  'switch-begins',
  'retire embed-1 embed-2',
  'note',
  'end embed-1 embed-2',
  'free',
  'start generate embed-ask',
  'started',
  'ready generate embed-ask',
  'answering-begins',
];

test('the switch stops, waits for the memory, and starts, once', async () => {
  const { layouts, done } = stage();
  assert.equal(layouts.state(), 'ingest');
  const switched = layouts.toAnswering(signal);
  assert.equal(layouts.state(), 'switching');
  await switched;
  assert.equal(layouts.state(), 'answering');
  await layouts.toAnswering(signal);
  assert.deepEqual(done, whole);
});

test('two who want it at once have one switch', async () => {
  const { layouts, done } = stage();
  await Promise.all([layouts.toAnswering(signal), layouts.toAnswering(signal)]);
  assert.deepEqual(done, whole);
});

test('what is being embedded is finished before its server is stopped', async () => {
  const on = stage();
  on.inFlight = 1;
  const switched = on.layouts.toAnswering(signal);
  await new Promise((resolve) => setTimeout(resolve, 200)); // nothing tells that nothing happens
  assert.deepEqual(on.done, whole.slice(0, 3));
  on.inFlight = 0;
  await switched;
  assert.deepEqual(on.done, whole);
});

for (const [when, reached] of [
  ['note', 3],
  ['end', 5],
  ['free', 5],
] as const)
  test(`a stop at "${when}" starts nothing any more`, async () => {
    const stop = new AbortController();
    const on = stage();
    on.onStep = (what) => {
      if (what.startsWith(when)) stop.abort();
    };
    await assert.rejects(on.layouts.toAnswering(stop.signal), (error) => codeOf(error) === 'aborted');
    assert.deepEqual(on.done, whole.slice(0, reached));
    assert.equal(on.layouts.state(), 'switching');
  });

test('a plan with one layout answers from the start, and has nothing to switch', async () => {
  const { layouts, done } = stage({ plan: { instances: instances.slice(4) } });
  assert.equal(layouts.state(), 'answering');
  await layouts.toAnswering(signal);
  assert.deepEqual(done, []);
});

test('who waits for servers that leave waits for those that come; a failure without a switch is one', async () => {
  const { layouts } = stage();
  const gone = new RagError('service-failed', 'it has ended');
  await assert.rejects(
    layouts.inForce(async () => {
      throw gone;
    }),
    gone,
  );
  const asked: string[] = [];
  const found = await layouts.inForce(async (layout) => {
    asked.push(layout);
    if (layout === 'answering') return 'found';
    await layouts.toAnswering(signal);
    throw gone;
  });
  assert.deepEqual([found, asked], ['found', ['ingest', 'answering']]);
});

test('the phases of a switch, in which nothing leads back', () => {
  const walk = (...events: PhaseEvent[]): Phase => events.reduce<Phase>(nextPhase, 'starting');
  for (const [events, phase] of [
    [['ingest-begins'], 'ingest'],
    [['switch-begins'], 'starting'],
    [['ingest-begins', 'switch-begins'], 'switching'],
    [['ingest-begins', 'switch-begins', 'ingest-begins'], 'switching'],
    [['ingest-begins', 'switch-begins', 'switch-begins'], 'switching'],
    [['ingest-begins', 'switch-begins', 'answering-begins'], 'answering'],
    [['ingest-begins', 'switch-begins', 'answering-begins', 'switch-begins'], 'answering'],
    [['ingest-begins', 'switch-begins', 'stop'], 'draining'],
    [['ingest-begins', 'stop', 'switch-begins'], 'draining'],
    [['ingest-begins', 'switch-begins', 'stop', 'answering-begins', 'stopped'], 'ended'],
  ] as const)
    assert.equal(walk(...events), phase, events.join(' '));
});

test('why nothing is generated yet, and when it will be', () => {
  const at = (done: number, total: number | null, eta: number | null) => ({
    job: '17',
    progress: { documents_done: done, documents_total: total, eta_s: eta },
  });
  assert.equal(whyPostponed('answering', at(0, null, null)), undefined);
  const long = whyPostponed('ingest', at(100, 400, 12_000));
  assert.match(long?.message ?? '', /everything is ingested \(100 of 400 documents\): in about 3 h 20 min$/);
  assert.match(long?.hint ?? '', /status 17/);
  assert.equal(long?.seconds, 300);
  assert.equal(whyPostponed('ingest', at(399, 400, 1))?.seconds, 5);
  assert.match(
    whyPostponed('ingest', at(7, null, null))?.message ?? '',
    /\(7 documents so far\): how long .* not known/,
  );
  assert.match(whyPostponed('switching', at(400, 400, 0))?.message ?? '', /is being started/);
});
