/** How long does a question take, but for its embedding? `node retrieve.ts [PASSAGES]` */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openEndpoint } from '../src/serve/serve.ts';
import type { ChunkRow, Store } from '../src/store/types.ts';
import type { RetrieveRequest, Work } from '../src/work.ts';
import { makeRandom, makeText } from './corpus.ts';
import { makeVector, openInProcess } from './in-process.ts';
import { openScratch } from './program.ts';
import { quantile, report, type Figure } from './results.ts';

const passages = Number(process.argv[2] ?? 10_000);
const [dimensions, questions, warmUps, candidates] = [1024, 200, 20, 100];
const signal = new AbortController().signal;

function makeRow(n: number): ChunkRow {
  const text = makeText(makeRandom(n + 1), 250);
  const name = `passage-${n}`;
  const place = { page: null, pageEnd: null, start: 0, end: text.length, headings: [] };
  const key = { chunk: name.padEnd(32, '0'), document: name, title: name, file: name, hash: name };
  return { ...key, ...place, ordinal: 0, of: 1, text, vector: makeVector(n, dimensions) };
}

async function fill(store: Store): Promise<void> {
  const encoder = { model: 'none', digest: 'none', dimensions, type: 'f16', metric: 'cosine' } as const;
  await store.beginWriting({ ...encoder, chunker: 'structure-1:512/64' }, 'bench');
  for (let n = 0; n < passages; n += 500)
    await store.append(Array.from({ length: Math.min(500, passages - n) }, (_, at) => makeRow(n + at)));
  await store.consolidate();
}

/** Eight words out of a passage each. */
const texts = Array.from({ length: questions }, (_, n) =>
  makeText(makeRandom(7 * n + 1), 250)
    .split(/\s+/)
    .slice(40, 48)
    .join(' '),
);

async function timesOf(ask: (text: string, n: number) => unknown): Promise<number[]> {
  const times: number[] = [];
  for (const [n, text] of texts.entries()) {
    const started = performance.now();
    await ask(text, n);
    times.push(performance.now() - started);
  }
  return times.slice(warmUps);
}

/** The plainest exact search there is, with eight sums side by side so that it waits for memory, not for additions. */
function scan(matrix: Float32Array, query: Float32Array): number {
  let best = -1;
  for (let row = 0; row < matrix.length; row += dimensions) {
    let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < dimensions; i += 8) {
      const at = row + i;
      a += matrix[at]! * query[i]!;
      b += matrix[at + 1]! * query[i + 1]!;
      c += matrix[at + 2]! * query[i + 2]!;
      d += matrix[at + 3]! * query[i + 3]!;
      e += matrix[at + 4]! * query[i + 4]!;
      f += matrix[at + 5]! * query[i + 5]!;
      g += matrix[at + 6]! * query[i + 6]!;
      h += matrix[at + 7]! * query[i + 7]!;
    }
    best = Math.max(best, a + b + c + d + e + f + g + h);
  }
  return best;
}

interface Overhead {
  readonly tcp: number[];
  readonly socket: number[];
}

/** What a client waits beyond the work, question by question: transport, checks, JSON. */
async function measureOverhead(work: Work, folder: string): Promise<Overhead> {
  let worked: number[] = [];
  const retrieve = async (request: RetrieveRequest): ReturnType<Work['retrieve']> => {
    const started = performance.now();
    const hits = await work.retrieve(request);
    worked.push(performance.now() - started);
    return hits;
  };
  await using endpoint = await openEndpoint({
    work: { retrieve, query: (request) => work.query(request) },
    ollama: { current: () => undefined, frozen: () => ({ num_ctx: 0 }) },
    host: '127.0.0.1',
    port: 0,
    socketPath: join(folder, 'endpoint', 'rag.sock'),
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: 5,
    state: () => ({}),
    readiness: () => ({ ready: true, missing: [] }),
  });
  const file = join(folder, 'queries.json');
  writeFileSync(file, JSON.stringify(texts));
  const client = join(import.meta.dirname, 'retrieve-client.ts');
  const above = async (socketPath: string): Promise<number[]> => {
    worked = [];
    const { stdout } = await promisify(execFile)(process.execPath, [client, endpoint.url, socketPath, file]);
    const waited = JSON.parse(stdout) as number[];
    return waited.map((ms, n) => ms - (worked[n] ?? 0)).slice(warmUps);
  };
  return { tcp: await above('-'), socket: await above(endpoint.socketPath ?? '-') };
}

using scratch = openScratch();
await using open = await openInProcess(join(scratch.path, 'index'), dimensions);
const { store, work } = open;
await fill(store);

const matrix = new Float32Array(passages * dimensions);
for (let n = 0; n < passages; n += 1) matrix.set(makeVector(n, dimensions), n * dimensions);
const vectors = texts.map((_, n) => makeVector(passages + n, dimensions));
const vectorAt = (n: number): Float32Array => vectors[n] ?? new Float32Array(dimensions);

const whole = await timesOf((text) => work.retrieve({ queries: [text], topk: 5, signal }));
const dense = await timesOf((_, n) => store.searchDense([vectorAt(n)], candidates));
const lexical = await timesOf((text) => store.searchText([text], candidates));
const scanned = await timesOf((_, n) => scan(matrix, vectorAt(n)));
const overhead = await measureOverhead(work, scratch.path);

const [p50, p95] = [0.5, 0.95].map((share) => (times: readonly number[]) => quantile(times, share)) as [
  (times: readonly number[]) => number,
  (times: readonly number[]) => number,
];
const ms = (what: string, value: number, atMost?: number): Figure =>
  atMost === undefined ? { what, value, unit: 'ms' } : { what, value, unit: 'ms', atMost };
report(
  import.meta.url,
  `How long does a question take, but for its embedding? ${passages} passages of 250 words, ${dimensions} dimensions in half precision, ${questions - warmUps} questions one after the other.`,
  [
    ms('dense and lexical search, fused: p50', p50(whole), 8),
    ms('p95', p95(whole)),
    ms(`dense search alone, the best ${candidates}: p50`, p50(dense)),
    ms(`lexical search alone, the best ${candidates}: p50`, p50(lexical)),
    ms('a scan of the same vectors in one JavaScript thread: p50', p50(scanned)),
    { what: 'dense search / that scan', value: p50(dense) / p50(scanned), atMost: 1 },
    ms('`/retrieve` above the search, TCP: p50', p50(overhead.tcp), 1),
    ms('p95', p95(overhead.tcp)),
    ms('`/retrieve` above the search, Unix socket: p50', p50(overhead.socket), 0.5),
    ms('p95', p95(overhead.socket)),
  ],
  [
    'The scan reads single precision (twice the bytes) with no SIMD, and keeps the best score only.',
    'The search is in a process of its own and uses all cores. The client is a process of its own too, with one connection.',
  ],
);
