/** How long does a question take, but for its embedding? `node retrieve.ts [PASSAGES...]` */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openScratch } from './program.ts';
import { quantile, report, type Figure } from './results.ts';
import { measureCallers, measureOverhead } from './retrieve-endpoint.ts';
import { depth, dimensions, nameOf, openFilled, type FilledIndex } from './retrieve-index.ts';

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [10_000, 100_000];
/** Of each kind of question; a question is never asked twice where its hits would be remembered. */
const [warmUps, count, batch] = [20, 180, 512];
const from = { batch: 1_000, warmBatch: 2_000, callers: 3_000 };

type Ask = (n: number) => Promise<unknown>;

/** Every question to each in turn, so that whatever else the machine does meets them all. */
async function timesOf<Name extends string>(
  asks: Readonly<Record<Name, Ask>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(asks) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let n = 0; n < warmUps + count; n += 1) {
    for (const name of names) {
      const started = performance.now();
      await asks[name](n);
      if (n >= warmUps) times[name].push(performance.now() - started);
    }
  }
  return times;
}

const signal = new AbortController().signal;
const p50 = (times: readonly number[]): number => quantile(times, 0.5);

/** Share of the best ten of an exact search that ours has among its best ten; every question was warm. */
async function measureRecall({ store, question, scan }: FilledIndex): Promise<number> {
  let found = 0;
  for (let n = 0; n < count; n += 1) {
    const [ranking = []] = await store.searchDense([question(n).vector], depth);
    const names = new Set((await scan.ask(n)).rows.map(nameOf));
    found += ranking.slice(0, names.size).filter(({ chunk }) => names.has(chunk)).length / names.size;
  }
  return found / count;
}

/** @returns milliseconds of all of them together */
async function timeBatch({ work, question }: FilledIndex, first: number): Promise<number> {
  const queries = Array.from({ length: batch }, (_, n) => question(first + n).text);
  const started = performance.now();
  await work.retrieve({ queries, topk: 5, signal });
  return performance.now() - started;
}

async function timeDenseBatch({ store, question }: FilledIndex): Promise<number> {
  const vectors = Array.from({ length: batch }, (_, n) => question(from.batch + n).vector);
  const started = performance.now();
  await store.searchDense(vectors, depth);
  return performance.now() - started;
}

const ms = (what: string, value: number, atMost?: number): Figure =>
  atMost === undefined ? { what, value, unit: 'ms' } : { what, value, unit: 'ms', atMost };

async function measure(index: FilledIndex, passages: number, isLast: boolean): Promise<Figure[]> {
  const { store, work, question, scan, seconds } = index;
  await timeBatch(index, from.warmBatch);
  const scans: number[] = [];
  const { whole, dense, lexical, filtered } = await timesOf({
    whole: (n) => work.retrieve({ queries: [question(n).text], topk: 5, signal }),
    dense: (n) => store.searchDense([question(n).vector], depth),
    lexical: (n) => store.searchText([question(n).text], depth),
    filtered: (n) =>
      store.searchDense([question(n).vector], depth, [{ field: 'label', labels: ['tenth=3'] }]),
    scan: async (n) => scans.push((await scan.ask(n)).ms),
  });
  const scanned = p50(scans.slice(warmUps));
  const batched = await timeBatch(index, from.batch);
  const tuned = (await store.inspect()).vector_index;
  const size = `${passages / 1000}k`;
  const isLarge = passages >= 100_000;
  const figures: Figure[] = [
    ms(
      `${size}: a question, both searches, fused, five passages read: p50`,
      p50(whole),
      ...(passages <= 10_000 ? [8] : []),
    ),
    ms(`${size}: p95`, quantile(whole, 0.95)),
    ms(`${size}: nearest ${depth} vectors: p50`, p50(dense)),
    ms(`${size}: the same of the tenth with a label: p50`, p50(filtered)),
    ms(`${size}: best ${depth} by words: p50`, p50(lexical)),
    ms(`${size}: exact scan in C, one thread, single precision: p50`, scanned),
    {
      what: `${size}: nearest vectors / exact scan${isLarge ? ' (stretch 0.3)' : ''}`,
      value: p50(dense) / scanned,
      ...(isLarge && { atMost: 1 }),
    },
    { what: `${size}: whole question / exact scan`, value: p50(whole) / scanned },
    { what: `${size}: recall@10`, value: await measureRecall(index), atLeast: 0.99 },
    { what: `${size}: recall@${depth} when it was tuned`, value: tuned?.recall ?? Number.NaN, atLeast: 0.98 },
    {
      what: `${size}: ${batch} questions in one request / ${batch} scans`,
      value: batched / (batch * scanned),
      ...(isLarge && { atMost: 0.25 }),
    },
    {
      what: `${size}: of them the nearest vectors alone`,
      value: (await timeDenseBatch(index)) / (batch * scanned),
    },
    { what: `${size}: merging and indexing all passages`, value: seconds.merge, unit: 's' },
    { what: `${size}: tuning the index of the vectors`, value: seconds.tune, unit: 's' },
  ];
  return isLast ? [...figures, ...(await measureEndpoint(index))] : figures;
}

async function measureEndpoint(index: FilledIndex): Promise<Figure[]> {
  using scratch = openScratch();
  const { tcp, socket, atHand, bare } = await measureOverhead(index, scratch.path, warmUps);
  const waited = await measureCallers(index, scratch.path, from.callers);
  return [
    ms('`/retrieve` above the search, TCP: p50', p50(tcp), 1),
    ms('`/retrieve` above the search, Unix socket: p50', p50(socket), 0.5),
    ms('p95', quantile(socket, 0.95)),
    ms('Unix socket, p50 when the hits are at hand', p50(atHand), 0.5),
    ms('the same through node:http alone, Unix socket: p50', p50(bare)),
    ms('8 callers at once, one question each, Unix socket: p50', p50(waited)),
    ms('p99', quantile(waited, 0.99)),
  ];
}

const figures: Figure[] = [];
for (const passages of sizes) {
  using scratch = openScratch();
  const folder = join(scratch.path, String(passages));
  mkdirSync(folder);
  await using index = await openFilled({ folder, passages, scanned: warmUps + count });
  figures.push(...(await measure(index, passages, passages === sizes.at(-1))));
}
report(
  import.meta.url,
  `How long does a question take, but for its embedding? ${sizes.map((size) => `${size / 1000}k`).join(' and ')} passages of some 100 words, ${dimensions} dimensions in half precision, ${count} questions one after the other.`,
  figures,
  [
    'The exact scan is C (bench/scan.c), compiled for this processor; it reads single precision, twice the bytes, and keeps the best ten.',
    'Passages are in 2,000 subjects of very different size (bench/vectors.ts); questions are no passages.',
    'The search is in a process of its own and uses all cores. Clients are processes of their own too.',
  ],
);
