/** What does a call of the Python child cost beside its model? `node sidecar-frames.ts` */
import { join } from 'node:path';
import { makeRerank } from '../src/models/rerank.ts';
import { makeSidecars } from '../src/models/sidecar.ts';
import type { Rerank } from '../src/models/types.ts';
import { sidecarSpec } from '../src/services/sidecar.ts';
import { startTree } from '../src/supervise/tree.ts';
import { openScratch } from './program.ts';
import { quantile, report, type Figure } from './results.ts';

const [warmUp, calls] = [50, 500];
const passage = 'The mean dose was 12 mg/kg in both groups, and the difference was not significant. '.repeat(
  24,
);
const sizes = [1, 100];

async function timesOf(rerank: Rerank, count: number): Promise<number[]> {
  const request = {
    query: 'Which dose was used?',
    passages: Array.from({ length: count }, () => passage),
    signal: AbortSignal.timeout(120_000),
  };
  const times: number[] = [];
  for (let n = 0; n < warmUp + calls; n += 1) {
    const started = performance.now();
    await rerank(request);
    if (n >= warmUp) times.push(performance.now() - started);
  }
  return times;
}

async function measure(): Promise<void> {
  using scratch = openScratch();
  const spec = sidecarSpec({
    id: 'reranker',
    python: 'python3',
    script: join(import.meta.dirname, 'scores-at-once.py'),
    rerank: scratch.path,
    encode: [],
    halfPrecision: true,
    batchSize: undefined,
    allowCpu: true,
    gpus: [],
    cpus: 1,
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    supervisorId: 'bench',
    cwd: scratch.path,
    logFile: join(scratch.path, 'reranker.log'),
    graceMs: 5_000,
    startTimeoutMs: 30_000,
    onReady: () => undefined,
    onStats: () => undefined,
  });
  const budget = { intensity: 1, periodMs: 60_000, backoff: { baseMs: 100, capMs: 100 } };
  await using tree = startTree([spec], { budget });
  await tree.untilReady(['reranker'], AbortSignal.timeout(30_000));
  const channel = tree.running('reranker')?.channel;
  if (channel === undefined) throw new Error('the child has no channel');
  const rerank = makeRerank(
    makeSidecars({ ready: () => [{ id: 'reranker', channel }], untilReady: async () => undefined }),
  );
  const figures: Figure[] = [];
  for (const count of sizes) {
    const times = await timesOf(rerank, count);
    const what = count === 1 ? 'one passage of 2,000 characters' : `${count} of them`;
    const wanted = count === 1 ? { atMost: 1 } : {};
    figures.push({ what: `${what}, median`, value: quantile(times, 0.5), unit: 'ms', ...wanted });
    figures.push({ what: `${what}, 95 %`, value: quantile(times, 0.95), unit: 'ms' });
  }
  report(import.meta.url, 'What does a call of the Python child cost beside its model?', figures, [
    'The frames of scripts/sidecar.py with a model that knows every score at once, through the code of the supervisor: sharing out, JSON both ways, two pipes, two threads of Python.',
  ]);
}

await measure();
