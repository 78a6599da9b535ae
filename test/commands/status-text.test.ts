/** What `status` shows: in 80 columns, with more room and with less, and of texts that somebody else wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookJson, lookLines, type Look } from '../../src/commands/status-text.ts';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { plain, type Paint } from '../../src/observe/paint.ts';
import { widthOf } from '../../src/observe/width.ts';

const status: SupervisorStatus = {
  job: '4711_2',
  phase: 'ingest',
  services: [
    {
      id: 'ollama-generate',
      state: 'restarting',
      gpus: ['GPU-6f1c3d2e', 'GPU-0a1b2c3d', 'GPU-99887766'],
      pid: 4,
      restarts: 2,
      reason: 'no byte for 120 s from runners that compute and read nothing\u001B[2J',
      layout: 'answering',
      device: null,
    },
    {
      id: 'reranker',
      state: 'ready',
      gpus: ['3'],
      pid: 5,
      restarts: 0,
      reason: null,
      layout: null,
      device: {
        device: 'cuda:0',
        name: 'NVIDIA H200',
        dtype: 'float16',
        memory_bytes: 5 * 2 ** 30,
        memory_peak_bytes: null,
        memory_total_bytes: 140 * 2 ** 30,
        pairs: 0,
        pairs_per_s: null,
        texts: 0,
        texts_per_s: null,
        batch_size: 64,
      },
    },
  ],
  progress: { documents_done: 250, documents_total: 1000, eta_s: 7200 },
  endpoint: { url: 'http://127.0.0.1:4000', socket: null },
  retriever: 'ollama',
  containment: 'guard',
  network: 'shared',
  containment_reason: 'no user namespaces: forbidden by /proc/sys/user/max_user_namespaces',
  time_left_s: 3600,
  node: 'node17',
  step: null,
  pid: 3,
  warnings: ['One GPU for everything: answers wait for ingest.'],
  outcome: null,
};

const look = (
  more: Partial<SupervisorStatus> = {},
  presence: Look['record']['presence'] = 'running',
): Look => ({
  record: { name: '4711_2.node17', presence, ageMs: 1000, uid: 0, state: { ...status, ...more } },
  others: ['4711_2.node18'],
  fate: undefined,
});
const lines = (columns: number, one = look(), paint: Paint = plain): string[] =>
  lookLines(one, { columns, paint });

for (const columns of [60, 80, 120, 200])
  test(`status fits into ${columns} columns`, () => {
    const long = lines(columns).filter((line) => widthOf(line) > columns);
    assert.deepEqual(long, []);
  });

test('a wider terminal is used: nothing is broken that has room', () => {
  const text = lines(250).join('\n');
  assert.match(text, /GPU-6f1c3d2e, GPU-0a1b2c3d, GPU-99887766 +2\n {4}no byte for 120 s from runners/);
  assert.match(text, /cuda:0 NVIDIA H200, float16, 5.0 of 140.0 GiB, batch 64/);
  assert.match(text, /beside it runs 4711_2.node18/);
});

test('a terminal of 20 columns still tells what runs', () => {
  assert.ok(lines(20).some((line) => line.startsWith('ollama-generate')));
});

test('progress is told with its share and its end, and whether the job lasts so long', () => {
  const documents = (progress: SupervisorStatus['progress'], time_left_s: number | null): string =>
    lines(200, look({ progress, time_left_s })).find((line) => line.startsWith('documents')) ?? '';
  assert.equal(
    documents(status.progress, 3600),
    'documents    250 of 1,000 (25 %), 2 h left, which is more than the job has',
  );
  assert.match(documents(status.progress, null), /2 h left$/);
  assert.match(documents({ ...status.progress, documents_total: null, eta_s: null }, 3600), / 250$/);
  assert.match(documents({ documents_done: 0, documents_total: 0, eta_s: null }, null), / 0 of 0$/);
});

test('what a service says moves no cursor', () => {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  assert.doesNotMatch(lines(80).join(''), /[\u0000-\u001F\u007F-\u009F]/);
});

test('states stand out by their meaning', () => {
  const paint: Paint = (style, text) => `<${style}:${text.trimEnd()}>`;
  const text = lines(200, look(), paint).join('\n');
  assert.match(text, /<warn:restarting>/);
  assert.match(text, /<good:ready>/);
  assert.match(text, /<strong:ingest>/);
});

test('how it ended stands in the first lines', () => {
  const ended = lines(
    80,
    look({ phase: 'ended', outcome: { exit: 75, reason: 'stopped with work left' } }, 'ended'),
  );
  assert.ok(ended.slice(0, 4).includes('ended        with 75: stopped with work left'));
  const gone = lines(80, { ...look({}, 'gone'), fate: { state: 'OUT_OF_MEMORY', exit: '0:125' } });
  assert.equal(gone[1], 'phase        gone while ingest, without saying why');
  assert.match(gone[2] ?? '', /^fate +Slurm says OUT_OF_MEMORY \(0:125\): its memory was not enough/);
});

test('as JSON it is the state with what is known beside it', () => {
  const { presence, others, fate, job } = JSON.parse(lookJson(look())) as Record<string, unknown>;
  assert.deepEqual([presence, others, fate, job], ['running', ['4711_2.node18'], null, '4711_2']);
});
