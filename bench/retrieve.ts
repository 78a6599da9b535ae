/** How long does a question take, but for its embedding? `node retrieve.ts [PASSAGES]` */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFlights } from '../src/models/flights.ts';
import { openEndpoint } from '../src/serve/serve.ts';
import { analyse } from '../src/words/analyse.ts';
import type { ChunkRow, Store } from '../src/store/types.ts';
import type { RetrieveRequest, Work } from '../src/work.ts';
import { makeRandom, makeText } from './corpus.ts';
import { makeVector, openInProcess } from './in-process.ts';
import { openScratch } from './program.ts';
import { quantile, report, type Figure } from './results.ts';

const passages = Number(process.argv[2] ?? 10_000);
const [dimensions, questions, warmUps, candidates, batch] = [1024, 200, 20, 100, 64];
const signal = new AbortController().signal;

function makeRow(n: number): ChunkRow {
  const text = makeText(makeRandom(n + 1), 250);
  const name = `passage-${n}`;
  const place = { page: null, pageEnd: null, start: 0, end: text.length, headings: [] };
  const key = { chunk: name.padEnd(32, '0'), document: name, id: name, title: name, file: name, hash: name };
  return {
    ...key,
    ...place,
    ordinal: 0,
    of: 1,
    text,
    ...analyse(text, 'en'),
    language: 'en',
    labels: [],
    vector: makeVector(n, dimensions),
  };
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

type Ask = (text: string, n: number) => unknown;

/** Every question to each in turn, so that whatever else the machine does meets them all. */
async function timesOf<Name extends string>(
  asks: Readonly<Record<Name, Ask>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(asks) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (const [n, text] of texts.entries()) {
    for (const name of names) {
      const started = performance.now();
      await asks[name](text, n);
      if (n >= warmUps) times[name].push(performance.now() - started);
    }
  }
  return times;
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

/** What a client waits beyond the search, question by question: transport, checks, JSON. */
async function measureOverhead(search: Work['retrieve'], folder: string): Promise<Overhead> {
  let searched: number[] = [];
  const retrieve = async (request: RetrieveRequest): ReturnType<Work['retrieve']> => {
    const started = performance.now();
    const hits = await search(request);
    searched.push(performance.now() - started);
    return hits;
  };
  await using endpoint = await openEndpoint({
    work: { retrieve, query: () => Promise.reject(new Error('Nothing is generated here')) },
    ollama: { current: () => undefined, frozen: () => undefined, flights: makeFlights() },
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
    searched = [];
    const { stdout } = await promisify(execFile)(process.execPath, [client, endpoint.url, socketPath, file]);
    const waited = JSON.parse(stdout) as number[];
    return waited.map((ms, n) => ms - (searched[n] ?? 0)).slice(warmUps);
  };
  return { tcp: await above('-'), socket: await above(endpoint.socketPath ?? '-') };
}

/** Searches each question once. */
function remembering(search: Work['retrieve']): Work['retrieve'] {
  const known = new Map<string, ReturnType<Work['retrieve']>>();
  return (request) => {
    const key = request.queries.join('\n');
    const hits = known.get(key) ?? search(request);
    known.set(key, hits);
    return hits;
  };
}

using scratch = openScratch();
await using open = await openInProcess(join(scratch.path, 'index'), dimensions);
const { store, work } = open;
await fill(store);

const matrix = new Float32Array(passages * dimensions);
for (let n = 0; n < passages; n += 1) matrix.set(makeVector(n, dimensions), n * dimensions);
const vectors = texts.map((_, n) => makeVector(passages + n, dimensions));
const vectorAt = (n: number): Float32Array => vectors[n] ?? new Float32Array(dimensions);

const search: Work['retrieve'] = (request) => work.retrieve(request);
const { whole, dense, lexical, scanned } = await timesOf({
  whole: (text) => search({ queries: [text], topk: 5, signal }),
  dense: (_, n) => store.searchDense([vectorAt(n)], candidates),
  lexical: (text) => store.searchText([text], candidates),
  scanned: (_, n) => scan(matrix, vectorAt(n)),
});
const started = performance.now();
await search({ queries: texts.slice(0, batch), topk: 5, signal });
const batched = performance.now() - started;
const overhead = await measureOverhead(search, scratch.path);
const atHand = remembering(search);
for (const text of texts) await atHand({ queries: [text], topk: 5, signal });
const overheadAtHand = await measureOverhead(atHand, scratch.path);

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
    {
      what: `${batch} questions in one request / as many scans`,
      value: batched / (batch * p50(scanned)),
      atMost: 0.25,
    },
    ms('`/retrieve` above the search, TCP: p50', p50(overhead.tcp), 1),
    ms('p95', p95(overhead.tcp)),
    ms('p50 when the hits are at hand', p50(overheadAtHand.tcp), 1),
    ms('`/retrieve` above the search, Unix socket: p50', p50(overhead.socket), 0.5),
    ms('p95', p95(overhead.socket)),
    ms('p50 when the hits are at hand', p50(overheadAtHand.socket), 0.5),
  ],
  [
    'The scan reads single precision (twice the bytes) with no SIMD, and keeps the best score only.',
    'With the hits at hand it is transport, checks and JSON alone; after a real search every process also comes back to cold caches and busy cores.',
    'The search is in a process of its own and uses all cores. The client is a process of its own too, with one connection.',
  ],
);
