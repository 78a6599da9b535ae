/** What does it cost to ingest a corpus again of which nothing has changed? */
import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
async function runAgain(corpus: string, folder: string): Promise<Ingested> {
  const run = await ingest(corpus, { folder });
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

const again: Ingested[] = [];
const fixed: Ingested[] = [];
const hashing: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  hashing.push(readAndHash(corpus));
  again.push(await runAgain(corpus, scratch.path));
  fixed.push(await runAgain(single, singleScratch.path));
}

const median = (runs: readonly Ingested[], of: (run: Ingested) => number): number =>
  quantile(runs.map(of), 0.5);
const hashSeconds = quantile(hashing, 0.5);
const wall = median(again, ({ wallSeconds }) => wallSeconds);
const fixedWall = median(fixed, ({ wallSeconds }) => wallSeconds);
const cpu = median(again, ({ cpuSeconds }) => cpuSeconds) - median(fixed, ({ cpuSeconds }) => cpuSeconds);
report(
  import.meta.url,
  `What does it cost to ingest a corpus again of which nothing has changed? ${files} web pages of 100 kB.`,
  [
    {
      what: 'the corpus / reading and hashing it in one thread',
      value: (wall - fixedWall) / hashSeconds,
      atMost: 1.3,
    },
    { what: 'texts embedded', value: median(again, ({ standIn }) => standIn.texts), atMost: 0 },
    { what: 'whole run, start to exit', value: wall, unit: 's' },
    { what: 'of it, what a run over one unchanged file takes', value: fixedWall, unit: 's' },
    { what: 'CPU for the corpus', value: cpu, unit: 's' },
    { what: 'reading and hashing', value: hashSeconds, unit: 's' },
    { what: 'the first run', value: first.wallSeconds, unit: 's' },
  ],
  [
    `Median of ${rounds}. "The corpus" is the whole run without what a run over one file takes. The files are in the page cache.`,
    'Every file is read and hashed; a look at size and times alone would save that.',
  ],
);
