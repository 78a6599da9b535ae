import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginLines,
  endsAtText,
  failedText,
  nextText,
  toldPhases,
} from '../../../src/job/shown/job-lines.ts';
import type { Intent } from '../../../src/job/prepare/intent.ts';
import { nextPhase, type Phase } from '../../../src/job/life/phase.ts';
import type { Watch } from '../../../src/job/shown/watch.ts';

type Described = Parameters<typeof beginLines>[0];

const described = (intent: Intent, more: object = {}): Described =>
  ({
    plan: {
      gpus: ['0', '1'],
      instances: [{ id: 'ollama-embed', model: 'bge-m3', gpus: ['0'] }],
      slices: { parser: [] },
    },
    settings: { RAG_WORKING_DIR: '/data/index' },
    job: { kind: 'slurm', id: '4711', arrayJob: null, task: null, restart: 0, node: 'node17', ...more },
    intent,
    parser: undefined,
  }) as unknown as Described;

const intents: [Intent, string][] = [
  [{ kind: 'dry-run' }, 'a dry run over the sample corpus'],
  [{ kind: 'given', inputs: ['a'], query: null }, 'ingests'],
  [{ kind: 'given', inputs: ['a'], query: 'q' }, 'ingests, then answers'],
  [{ kind: 'given', inputs: [], query: 'q' }, 'answers'],
  [{ kind: 'serve', inputs: [] }, 'serves until it is ended'],
  [{ kind: 'serve', inputs: ['a'] }, 'ingests, and serves until it is ended'],
  [{ kind: 'workload', inputs: [], command: ['python', 'train.py'] }, 'serves python, and ends with it'],
];
for (const [intent, text] of intents)
  test(`the first line of a log says what the job does: ${text}`, () => {
    const [first] = beginLines(described(intent), '/logs/4711');
    assert.match(first ?? '', /^job 4711 on node17, \d{4}-\d\d-\d\d, 2 GPUs: /);
    assert.ok(first?.endsWith(`: ${text}`), first);
  });

test('then come its places and its services; a restart is told', () => {
  const lines = beginLines(described({ kind: 'serve', inputs: [] }, { restart: 2 }), '/logs/4711');
  assert.match(lines[0] ?? '', /^job 4711, restart 2, on node17/);
  assert.deepEqual(lines.slice(1), ['index /data/index, logs /logs/4711', 'ollama-embed: bge-m3 on GPU 0']);
});

test('until when is told with the date, because a job may run for days', () => {
  const now = new Date(2026, 10, 22, 13, 0, 0);
  assert.equal(
    endsAtText(new Date(2026, 10, 23, 12, 59, 0), now),
    'the job ends at 2026-11-23 12:59:00, in 23 h 59 min',
  );
  assert.equal(
    endsAtText(now, new Date(2026, 10, 22, 14, 0, 0)),
    'the job ends at 2026-11-22 13:00:00, in 0 s',
  );
});

test('the last line says how it ended and where to look next', () => {
  assert.equal(
    failedText(69, 'service-failed', '/logs'),
    'ended with 69 (service-failed): what led to it is in /logs',
  );
  assert.equal(failedText(75, 'aborted', '/logs'), 'ended with 75 (aborted): the same command goes on');
  assert.match(failedText(69, 'service-failed', undefined), /stands above, a trial keeps no log$/);
  assert.equal(nextText(3, undefined), '; they are named above');
  assert.equal(nextText(0, '/logs'), '');
  assert.match(nextText(3, '/logs'), /supervisor\.jsonl names them, the same command tries them again/);
});

test('each phase is the column of the lines from then on, and the end of the backlog is told once', () => {
  let phase: Phase = 'starting';
  const seen: string[] = [];
  const log = Object.assign((_level: string, line: string) => seen.push(line), {
    file: () => undefined,
    phase: (name: string) => seen.push(`[${name}]`),
    [Symbol.dispose]: () => undefined,
  });
  const own = {
    status: () => ({ phase }),
    phase: (event: Parameters<Watch['phase']>[0]) => {
      phase = nextPhase(phase, event);
    },
  } as unknown as Watch;
  const watch = toldPhases(own, log, { kind: 'serve', inputs: ['a'] });
  for (const event of ['ingest-begins', 'answering-begins', 'answering-begins', 'stop'] as const)
    watch.phase(event);
  assert.deepEqual(seen, [
    '[ingest]',
    '[answering]',
    'everything is ingested: questions are answered',
    '[answering]',
    '[draining]',
  ]);
});
