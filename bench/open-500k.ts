/** How long until an index of half a million passages answers its first question? `node open-500k.ts [PASSAGES]` */
import { join } from 'node:path';
import { openForkedStore } from '../test/store/forked-host.ts';
import { openScratch } from './program.ts';
import { report } from './results.ts';
import { depth, dimensions, fill } from './retrieve-index.ts';
import { makeVectors } from './vectors.ts';

const passages = Number(process.argv[2] ?? 500_000);
const vectorOf = makeVectors(dimensions);
using scratch = openScratch();
const folder = join(scratch.path, 'index');
async function fillIndex(): Promise<Awaited<ReturnType<typeof fill>> & { readonly bytes: number }> {
  await using forked = await openForkedStore(folder);
  const seconds = await fill(forked.store, passages, vectorOf);
  return { ...seconds, bytes: (await forked.store.inspect()).bytes };
}

/** Of a host that has just been started, each thing for the first time. */
async function timeFirst(): Promise<Record<'start' | 'dense' | 'lexical' | 'again', number>> {
  const at = [performance.now()];
  await using forked = await openForkedStore(folder);
  const { store } = forked;
  await store.encoder();
  at.push(performance.now());
  await store.searchDense([vectorOf(passages + 1)], depth);
  at.push(performance.now());
  await store.searchText(['kakaro temi of salu'], depth);
  at.push(performance.now());
  await store.searchDense([vectorOf(passages + 2)], depth);
  at.push(performance.now());
  const [start = 0, dense = 0, lexical = 0, again = 0] = at.slice(1).map((end, i) => end - (at[i] ?? end));
  return { start, dense, lexical, again };
}

const seconds = await fillIndex();
const first = await timeFirst();
const ms = (what: string, value: number) => ({ what, value, unit: 'ms' });
report(
  import.meta.url,
  `How long until an index of ${passages / 1000}k passages answers its first question? ${dimensions} dimensions in half precision.`,
  [
    {
      what: 'start of the store host, first question by vector, first by words',
      value: (first.start + first.dense + first.lexical) / 1000,
      unit: 's',
      atMost: 2,
    },
    ms('start of the store host', first.start),
    ms('first question by vector', first.dense),
    ms('first question by words', first.lexical),
    ms('a question by vector after that', first.again),
    { what: 'appending', value: seconds.append, unit: 's' },
    { what: 'merging and indexing', value: seconds.merge, unit: 's' },
    { what: 'tuning the index of the vectors', value: seconds.tune, unit: 's' },
    { what: 'bytes of a passage on disk', value: seconds.bytes / passages },
  ],
  [
    'The files are in the page cache. While the vectors are read into memory, questions are answered from the disk.',
  ],
);
