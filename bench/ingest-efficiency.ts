/** With a realistic embedder, how much of an ingest's time is the model's? */
import { join } from 'node:path';
import { writeCorpus } from './corpus.ts';
import { ingest, openScratch } from './program.ts';
import { report } from './results.ts';

/** 100 texts a second: what an 8b encoder does with full chunks on a large GPU, give or take a factor of two. */
const msPerText = 10;

using scratch = openScratch();
const corpus = join(scratch.path, 'corpus');
await writeCorpus(corpus, { files: 600, wordsPerFile: 2400, pdfEvery: 15 });
const run = await ingest(corpus, { folder: scratch.path, msPerText });

const { standIn, wallSeconds } = run;
const busySeconds = standIn.busyMs / 1000;
const beforeSeconds = (standIn.firstWorkAt - run.startedAt) / 1000;
const afterSeconds = (run.endedAt - standIn.lastWorkAt) / 1000;
const idleSeconds = wallSeconds - busySeconds - beforeSeconds - afterSeconds;
report(
  import.meta.url,
  `With a realistic embedder, how much of an ingest's time is the model's? 600 files, 40 of them PDF, ${run.summary.chunks} chunks.`,
  [
    { what: 'model busy / whole run, start to exit', value: busySeconds / wallSeconds, atLeast: 0.97 },
    { what: 'model busy', value: busySeconds, unit: 's' },
    { what: 'before the first text', value: beforeSeconds, unit: 's' },
    { what: 'gaps between batches', value: idleSeconds, unit: 's' },
    { what: 'after the last vector', value: afterSeconds, unit: 's' },
    { what: 'CPU of the program', value: run.cpuSeconds, unit: 's' },
  ],
  [`The model takes ${msPerText} ms per text and works on one at a time.`],
);
