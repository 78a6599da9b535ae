/** What does it cost to ingest a corpus again of which nothing has changed? */
import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCorpus } from './corpus.ts';
import { ingest, openScratch, type Ingested } from './program.ts';
import { quantile, report } from './results.ts';

const rounds = 5;
const files = 3000;

/** Seconds that one thread needs to read and hash the corpus. */
function readAndHash(corpus: string): number {
  const started = performance.now();
  for (const name of globSync('*', { cwd: corpus })) hash('sha256', readFileSync(join(corpus, name)));
  return (performance.now() - started) / 1000;
}

/** A run over a corpus that is in the index already. */
async function runAgain(corpus: string, folder: string, ...flags: string[]): Promise<Ingested> {
  const run = await ingest(corpus, { folder, flags });
  if (run.summary.documents.processed > 0) throw new Error(`Not unchanged: ${run.stdout}`);
  return run;
}

using scratch = openScratch();
using singleScratch = openScratch();
const corpus = join(scratch.path, 'corpus');
const single = join(singleScratch.path, 'corpus');
// Web pages: most of their bytes are no text, so that the corpus is large and yet quickly embedded.
await writeCorpus(corpus, { files, wordsPerFile: 150, pageBytes: 100_000 });
await writeCorpus(single, { files: 1, wordsPerFile: 150 });
const first = await ingest(corpus, { folder: scratch.path });
await ingest(single, { folder: singleScratch.path });
// Files that were written a moment before the first run are looked at once more.
await sleep(3000);
await runAgain(corpus, scratch.path);
await runAgain(single, singleScratch.path);

const looking: Ingested[] = [];
const rehashing: Ingested[] = [];
const fixed: Ingested[] = [];
const hashing: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  hashing.push(readAndHash(corpus));
  looking.push(await runAgain(corpus, scratch.path));
  rehashing.push(await runAgain(corpus, scratch.path, '--rehash'));
  fixed.push(await runAgain(single, singleScratch.path));
}

const median = (runs: readonly Ingested[], of: (run: Ingested) => number): number =>
  quantile(runs.map(of), 0.5);
const wallOf = (runs: readonly Ingested[]): number => median(runs, ({ wallSeconds }) => wallSeconds);
const cpuOf = (runs: readonly Ingested[]): number => median(runs, ({ cpuSeconds }) => cpuSeconds);
const hashSeconds = quantile(hashing, 0.5);
report(
  import.meta.url,
  `What does it cost to ingest a corpus again of which nothing has changed? ${files} web pages of 100 kB.`,
  [
    {
      what: 'a look at sizes and times / reading and hashing in one thread',
      value: (wallOf(looking) - wallOf(fixed)) / hashSeconds,
    },
    {
      what: 'with --rehash / reading and hashing in one thread',
      value: (wallOf(rehashing) - wallOf(fixed)) / hashSeconds,
      atMost: 1.3,
    },
    {
      what: 'texts embedded',
      value: median([...looking, ...rehashing], ({ standIn }) => standIn.texts),
      atMost: 0,
    },
    { what: 'whole run, start to exit', value: wallOf(looking), unit: 's' },
    { what: 'with --rehash', value: wallOf(rehashing), unit: 's' },
    { what: 'what a run over one unchanged file takes', value: wallOf(fixed), unit: 's' },
    { what: 'CPU for a look at the corpus', value: cpuOf(looking) - cpuOf(fixed), unit: 's' },
    { what: 'CPU for the corpus with --rehash', value: cpuOf(rehashing) - cpuOf(fixed), unit: 's' },
    { what: 'reading and hashing', value: hashSeconds, unit: 's' },
    { what: 'the first run', value: first.wallSeconds, unit: 's' },
  ],
  [
    `Median of ${rounds}. The ratios are of the whole run without what a run over one file takes. The files are in the page cache.`,
    'Without --rehash no file is opened: the tests count the bytes that are read.',
  ],
);
