import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMetrics } from '../../../src/job/metrics/metrics.ts';
import { addDeed, type Deeds, makeDeeds, nothingDone } from '../../../src/job/picture/deeds.ts';
import { unused } from '../../../src/job/picture/idle.ts';
import { noPast } from '../../../src/job/picture/past.ts';
import type { SupervisorStatus } from '../../../src/job/shown/status.ts';

const status = {
  job: '4711',
  node: 'node17',
  phase: 'ingest',
  time_left_s: null,
  progress: { documents_done: 7, documents_total: 10, eta_s: 30 },
  services: [
    { id: 'ollama-embed', state: 'ready', restarts: 2 },
    { id: 'store', state: 'restarting', restarts: 1 },
  ],
} as unknown as SupervisorStatus;

async function scrape(use: (deeds: Deeds) => void = () => undefined): Promise<string> {
  const deeds = makeDeeds((error) => assert.fail(String(error)));
  let counts = nothingDone;
  deeds.listen((deed) => (counts = addDeed(counts, deed)));
  const gpu = {
    index: '0',
    token: '0',
    uuid: 'GPU-aa',
    name: 'x',
    use: 0.25,
    memoryBytes: 1024,
    memoryTotalBytes: null,
  };
  const past = {
    ...noPast,
    gpus: {
      'GPU-aa': {
        name: 'x',
        memoryTotalBytes: null,
        usage: { ...unused, watchedSeconds: 300, idleSeconds: 120 },
      },
    },
  };
  const metrics = await openMetrics({
    deeds,
    version: '1.2.3',
    status: () => status,
    ingested: () => null,
    samples: { counts: () => counts, past: () => past, gpus: () => [gpu] },
    retrievals: () => ({
      queries: 9,
      computed: 4,
      cached: 5,
      hit_rate: 0.5,
      cache_entries: 4,
      cache_bytes: 100,
    }),
    queue: () => 3,
  });
  use(deeds);
  await metrics.text(); // asked twice, counters say the same
  return metrics.text();
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

/** Prometheus' text format, read strictly: every line is a comment of a known kind or a sample of the family above it. */
function parse(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'));
  const families = new Map<string, Family>();
  let current = '';
  let help = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const described = /^# HELP ([a-z_][a-z0-9_]*) (\S.*)$/.exec(line);
    const typed = /^# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|histogram)$/.exec(line);
    const sample =
      /^([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.e+-]+|\+Inf|NaN)$/i.exec(
        line,
      );
    if (described !== null) help = described[2] ?? '';
    else if (typed !== null) {
      [, current = ''] = typed;
      assert.ok(!families.has(current), `${current} stands twice`);
      families.set(current, { type: typed[2] ?? '', help, samples: new Map() });
    } else if (sample !== null) {
      const [, name = '', labels = '', value = ''] = sample;
      const family = families.get(current) ?? assert.fail(line);
      const parts = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert.ok(
        parts.some((part) => name === current + part),
        `${name} is no sample of ${current}`,
      );
      assert.ok(!family.samples.has(name + labels), `${name}${labels} stands twice`);
      family.samples.set(name + labels, Number(value.replace('+Inf', 'Infinity')));
    } else assert.fail(`no line of the format: ${line}`);
  }
  return families;
}

/** What promtool's lint asks of names. */
function lint(families: ReadonlyMap<string, Family>): string[] {
  return [...families].flatMap(([name, { type, help }]) => [
    ...(type === 'counter' && !name.endsWith('_total') ? [`${name}: a counter ends with _total`] : []),
    ...(type !== 'counter' && name.endsWith('_total') ? [`${name}: only a counter ends with _total`] : []),
    ...(type !== 'histogram' && /_(?:count|sum|bucket)$/.test(name)
      ? [`${name}: that ending is a histogram's`]
      : []),
    ...(/_(?:ms|milliseconds|minutes|hours|kib|mib|gib|kilobytes|megabytes|percent)(?:_|$)/.test(name)
      ? [`${name}: base units are wanted`]
      : []),
    ...(!/^(?:rag|process|nodejs)_/.test(name) ? [`${name}: it has no prefix of ours`] : []),
    ...(help.length < 10 ? [`${name}: it has no help`] : []),
  ]);
}

const done = (deeds: Deeds): void => {
  const { tell } = deeds;
  tell({ deed: 'served', route: '/query', method: 'POST', status: 200, seconds: 0.3 });
  tell({ deed: 'served', route: '/query', method: 'POST', status: 'left', seconds: 3 });
  tell({ deed: 'retrieved', queries: 64, seconds: 0.02 });
  tell({
    deed: 'answered',
    seconds: 2,
    timingsMs: { retrieve: 20, rerank: 80, generate: 1900, total: 2000 },
  });
  tell({ deed: 'not-answered', what: 'question', code: 'model-unavailable' });
  tell({ deed: 'embedded', kind: 'passage', texts: 64, seconds: 0.4 });
  tell({ deed: 'generated', seconds: 1.9, firstPieceSeconds: 0.2, pieces: 40, promptTokens: 900 });
  tell({ deed: 'ingested', documents: 3, chunks: 30, tokens: 9000 });
  tell({ deed: 'became-ready', service: 'store', seconds: 0.5 });
};

test('the metrics are in the text format, with names, units and types by the conventions', async () => {
  const families = parse(await scrape(done));
  assert.deepEqual(lint(families), []);
  assert.ok(families.size > 30, String(families.size));
});

test('buckets of a histogram only grow, and the last one counts all', async () => {
  const families = parse(await scrape(done));
  for (const [name, { type, samples }] of families) {
    if (type !== 'histogram') continue;
    const counts = [...samples].filter(([key]) => key.startsWith(`${name}_count`));
    for (const [key, count] of counts) {
      const labels = key.slice(`${name}_count`.length).replace(/[{}]/g, '');
      const buckets = [...samples].filter(
        ([bucket]) => bucket.startsWith(`${name}_bucket`) && (labels === '' || bucket.includes(labels)),
      );
      assert.deepEqual(
        buckets.map(([, value]) => value),
        buckets.map(([, value]) => value).toSorted((a, b) => a - b),
      );
      assert.equal(buckets.at(-1)?.[1], count, key);
    }
  }
});

test('the values are those of the job, and what is not known is left out', async () => {
  const families = parse(await scrape(done));
  const of = (family: string, sample = family): number | undefined =>
    families.get(family)?.samples.get(sample);
  assert.equal(
    of('rag_build_info', `rag_build_info{version="1.2.3",node_version="${process.versions.node}"}`),
    1,
  );
  assert.equal(of('rag_phase', 'rag_phase{phase="ingest"}'), 1);
  assert.equal(of('rag_phase', 'rag_phase{phase="answering"}'), 0);
  assert.equal(of('rag_service_ready', 'rag_service_ready{service="store"}'), 0);
  assert.equal(of('rag_service_restarts_total', 'rag_service_restarts_total{service="ollama-embed"}'), 2);
  assert.equal(of('rag_service_readiness_seconds', 'rag_service_readiness_seconds{service="store"}'), 0.5);
  assert.equal(of('rag_ingest_documents_total'), 3);
  assert.equal(of('rag_ingest_remaining_seconds'), 30);
  assert.equal(families.get('rag_time_left_seconds')?.samples.size, 0, 'no limit is not no time');
  assert.equal(families.get('rag_ingest_documents_expected')?.samples.size, 0);
  assert.equal(of('rag_gpu_utilization_ratio', 'rag_gpu_utilization_ratio{gpu="0",uuid="GPU-aa"}'), 0.25);
  assert.equal(families.get('rag_gpu_memory_size_bytes')?.samples.size, 0);
  assert.equal(of('rag_gpu_idle_seconds_total', 'rag_gpu_idle_seconds_total{uuid="GPU-aa"}'), 120);
  assert.equal(of('rag_retrieval_queries_total'), 64);
  assert.equal(of('rag_model_requests_in_flight'), 3);
  assert.equal(of('rag_generated_pieces_total'), 40);
  const http = 'rag_http_request_duration_seconds';
  assert.equal(of(http, `${http}_count{route="/query",method="POST",code="left"}`), 1);
  assert.equal(
    of('rag_unanswered_total', 'rag_unanswered_total{what="question",code="model-unavailable"}'),
    1,
  );
  assert.ok((of('process_resident_memory_bytes') ?? 0) > 1e7);
  assert.ok((of('process_start_time_seconds') ?? 0) > 1.7e9);
});

test('every expression of the Grafana board names a metric that exists', async () => {
  const families = parse(await scrape(done));
  const board = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../docs/grafana.json'), 'utf8'),
  ) as Board;
  const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const variables = board.templating.list.flatMap(({ query }) =>
    typeof query === 'string' ? [] : [query.query],
  );
  assert.ok(expressions.length > 10);
  const known = [...families].flatMap(([name, { type }]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const used = new Set(
    [...expressions, ...variables].flatMap((text) => text.match(/\b(?:rag|process|nodejs)_\w+/g) ?? []),
  );
  assert.deepEqual(
    [...used].filter((name) => !known.includes(name)),
    [],
  );
  const rated = expressions.flatMap((text) =>
    [...text.matchAll(/\b(?:rate|increase)\((\w+)/g)].map(([, name = '']) => name),
  );
  for (const name of rated) assert.match(name, /_(?:total|bucket|sum|count)$/, 'only what grows has a rate');
  const ids = board.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

interface Board {
  readonly panels: readonly {
    readonly id: number;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}
