/** The picture of a job as large as jobs become: two lives, four GPUs, restarts, documents that were set aside. */
import { makePicture } from '../../src/job/picture/picture.ts';
import { addLatency, noLatencies } from '../../src/job/picture/latencies.ts';
import { addUse, unused } from '../../src/job/picture/idle.ts';
import type { Past } from '../../src/job/picture/past.ts';
import { runPicture } from '../../src/job/picture/runs.ts';
import { addSample, noSeries, type Sample } from '../../src/job/picture/series.ts';
import { addFailure, noneSetAside } from '../../src/job/picture/set-aside.ts';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import type { Picture } from '../../src/page/picture.ts';
import type { Plan } from '../../src/plan/types.ts';

const minute = 60_000;
export const begin = Date.UTC(2026, 10, 22, 6, 0, 0);
const lives = [
  { from: begin, to: begin + 118 * minute },
  { from: begin + 300 * minute, to: begin + 372 * minute },
] as const;
const now: number = lives[1].to;

const uuids = ['GPU-3f1c', 'GPU-77a0', 'GPU-b402', 'GPU-e91d'];
const memoryBytes = 139.8 * 2 ** 30;

const instances: Plan['instances'] = [
  { id: 'ollama-generate', role: 'generate', model: 'qwen3:235b', gpus: ['0', '1', '2'] },
  { id: 'ollama-embed', role: 'embed', model: 'qwen3-embedding:8b', gpus: ['2'] },
  { id: 'reranker', role: 'rerank', model: 'bge-reranker-v2-gemma', gpus: ['3'] },
];

/** A wave without chance in it: a test draws the same every time. */
const wave = (at: number, period: number, phase = 0): number =>
  (1 + Math.sin((at / period) * 2 * Math.PI + phase)) / 2;

function sampleAt(at: number, seconds: number, ingests: boolean): Sample {
  const speed = ingests ? 90 + 60 * wave(at, 31 * minute) + 20 * wave(at, 4 * minute, 1) : 0;
  const asks = ingests ? 0 : Math.round(4 * wave(at, 17 * minute));
  const finds = ingests ? 0 : Math.round(130 * wave(at, 9 * minute, 2));
  const gpu = (use: number, share: number) => ({
    seconds,
    useSeconds: use * seconds,
    memoryBytes: share * memoryBytes,
  });
  return {
    at,
    seconds,
    documents: Math.round((speed * seconds) / 11),
    failed: 0,
    chunks: Math.round(speed * seconds),
    tokens: Math.round(speed * seconds * 310),
    questions: asks === 0 ? noLatencies : addLatency(noLatencies, 2 + 5 * wave(at, 23 * minute), asks),
    retrievals:
      finds === 0
        ? noLatencies
        : addLatency(addLatency(noLatencies, 0.008, finds), 0.06, Math.ceil(finds / 12)),
    queueSeconds: (ingests ? 2 : 5 * wave(at, 9 * minute)) * seconds,
    gpus: Object.fromEntries(
      uuids.map((uuid, index) => [
        uuid,
        ingests
          ? gpu(index === 2 ? 0.9 + 0.08 * wave(at, 3 * minute) : 0.01, index === 3 ? 0.04 : 0.62)
          : gpu(
              index === 3 ? 0.3 * wave(at, 5 * minute) : 0.35 + 0.6 * wave(at, 12 * minute, index),
              0.62 + 0.1 * wave(at, 40 * minute),
            ),
      ]),
    ),
  };
}

export function examplePast(): Past {
  let series = noSeries;
  const usages = new Map(uuids.map((uuid) => [uuid, unused]));
  for (const [life, { from, to }] of lives.entries())
    for (let at = from; at < to; at += 10_000) {
      const sample = sampleAt(at, 10, life === 0 || at < from + 24 * minute);
      series = addSample(series, sample);
      for (const [uuid, { useSeconds, seconds }] of Object.entries(sample.gpus))
        usages.set(uuid, addUse(usages.get(uuid) ?? unused, useSeconds / seconds, seconds));
    }
  const setAside = [
    ...Array.from(
      { length: 31 },
      (_, n) => ['needs_ocr', `scans/1987/report-${n + 1}.pdf`, 'no text on 12 pages'] as const,
    ),
    [
      'failed',
      'letters/2003/minutes (final) v7.docx',
      'the archive is damaged: no end of central directory',
    ] as const,
    ['failed', 'letters/2004/budget.xlsx', 'the file is encrypted'] as const,
    ['failed', 'letters/2004/salaries.xlsx', 'the file is encrypted'] as const,
  ].reduce(
    (sofar, [state, document, reason]) => addFailure(sofar, { state, document, reason }),
    noneSetAside,
  );
  const gpus = [...usages].map(
    ([uuid, usage]) => [uuid, { name: 'NVIDIA H200', memoryTotalBytes: memoryBytes, usage }] as const,
  );
  return { series, gpus: Object.fromEntries(gpus), setAside };
}

const iso = (at: number): string => new Date(at).toISOString();

function exampleRuns(): unknown[] {
  const [first, second] = lives;
  const ready = (id: string, at: number) => ({ id, at: iso(at), state: 'ready', reason: null });
  const services = ['ollama-generate', 'ollama-embed', 'reranker', 'store'].map((id) => ({
    id,
    gpus: instances.find((instance) => instance.id === id)?.gpus ?? [],
    restarts: id === 'ollama-embed' ? 1 : 0,
  }));
  const starts = (from: number) => [
    ready('store', from + 4000),
    ready('reranker', from + 41_000),
    ready('ollama-embed', from + 66_000),
    ready('ollama-generate', from + 210_000),
  ];
  const crash = first.from + 52 * minute;
  return [
    {
      run: 'a',
      restart: 0,
      node: 'node17',
      started_at: iso(first.from),
      ended_at: iso(first.to),
      outcome: { exit: 75, reason: 'stopped with work left, the same command goes on' },
      phases: [
        { phase: 'starting', from: iso(first.from), seconds: 66 },
        { phase: 'ingest', from: iso(first.from + 66_000), seconds: 116 * 60 },
        { phase: 'draining', from: iso(first.to - 54_000), seconds: 54 },
      ],
      services,
      events: [
        ...starts(first.from),
        {
          id: 'ollama-embed',
          at: iso(crash),
          state: 'restarting',
          reason: 'was ended by SIGKILL: the runner ran out of memory',
        },
        ready('ollama-embed', crash + 95_000),
      ],
    },
    {
      run: 'b',
      restart: 1,
      node: 'node21',
      started_at: iso(second.from),
      ended_at: iso(second.to),
      outcome: null,
      phases: [
        { phase: 'starting', from: iso(second.from), seconds: 70 },
        { phase: 'ingest', from: iso(second.from + 70_000), seconds: 23 * 60 },
        {
          phase: 'answering',
          from: iso(second.from + 70_000 + 23 * minute),
          seconds: 72 * 60 - 70 - 23 * 60,
        },
      ],
      services,
      events: starts(second.from),
    },
  ];
}

/** Made once: it takes as long as a page. */
let made: Past | undefined;
const known = (): Past => (made ??= examplePast());

export interface Example {
  readonly phase?: SupervisorStatus['phase'];
  readonly postponed?: boolean;
  readonly outcome?: SupervisorStatus['outcome'];
  readonly seen?: string;
}

/** While it ingests half of its second life is still to come. */
export function examplePicture({
  phase = 'answering',
  postponed = false,
  outcome = null,
  seen,
}: Example = {}): Picture {
  const ingests = phase === 'ingest';
  const documentsDone = ingests ? 61_240 : 92_711;
  const picture = makePicture({
    at: now,
    version: '0.1.0',
    job: { restart: 1 },
    plan: { gpus: ['0', '1', '2', '3'], instances },
    status: exampleStatus(phase, outcome),
    ingested: {
      documentsDone,
      documentsTotal: 92_711,
      chunks: 11 * documentsDone,
      embedded: 11 * documentsDone,
      tokens: 3410 * documentsDone,
      failed: 34,
      seconds: documentsDone / 11,
    },
    postponed: postponed
      ? {
          message:
            'Cannot generate yet: the generator has no room beside the embed servers, and starts when everything is ingested (61240 of 92711 documents): in about 48 min',
          hint: 'node dist/supervisor.js status 48151',
          seconds: 300,
        }
      : undefined,
    counts: {
      documents: documentsDone,
      failed: 34,
      chunks: 0,
      tokens: 0,
      questions: addLatency(addLatency(noLatencies, 4.2, 311), 7.1, 24),
      retrievals: addLatency(addLatency(noLatencies, 0.008, 90_211), 0.06, 7012),
      ready: {},
    },
    past: known(),
    gpus: uuids.map((uuid, index) => ({
      index: String(index),
      token: String(index),
      uuid,
      name: 'NVIDIA H200',
      use: [0.83, 0.79, 0.91, 0.22][index] ?? null,
      memoryBytes: [0.66, 0.66, 0.7, 0.11][index]! * memoryBytes,
      memoryTotalBytes: memoryBytes,
    })),
    runs: exampleRuns()
      .map(runPicture)
      .filter((run) => run !== undefined),
    gpuHours: (4 * (118 + 72)) / 60,
    ...(seen !== undefined && { seen }),
  });
  // Wherever the test runs.
  return { ...picture, utcOffsetMinutes: 0 };
}

function exampleStatus(
  phase: SupervisorStatus['phase'],
  outcome: SupervisorStatus['outcome'],
): SupervisorStatus {
  const layout = null;
  const services = [...instances.map(({ id, gpus }) => ({ id, gpus })), { id: 'store', gpus: [] }];
  return {
    job: '48151',
    phase,
    services: services.map(({ id, gpus }) => ({
      id,
      gpus,
      state: outcome === null ? 'ready' : 'exited',
      pid: 4711,
      restarts: id === 'ollama-embed' ? 1 : 0,
      reason: id === 'ollama-embed' ? 'was ended by SIGKILL: the runner ran out of memory' : null,
      layout,
      device:
        id === 'reranker'
          ? {
              device: 'cuda:0',
              name: 'NVIDIA H200',
              dtype: 'float16',
              memory_bytes: 5.1 * 2 ** 30,
              memory_peak_bytes: 9.3 * 2 ** 30,
              memory_total_bytes: memoryBytes,
              pairs: 812_345,
              pairs_per_s: 310.5,
              texts: 0,
              texts_per_s: null,
              batch_size: 64,
            }
          : null,
    })),
    progress: { documents_done: 0, documents_total: null, eta_s: null },
    endpoint: { url: 'http://127.0.0.1:4000', socket: null },
    retriever: 'ollama',
    containment: 'pidns',
    network: 'private',
    containment_reason: null,
    time_left_s: 3 * 3600 + 12 * 60,
    node: 'node21',
    step: null,
    pid: 4711,
    warnings: [],
    outcome,
  };
}
