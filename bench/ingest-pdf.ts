/** How many pages of PDFs a second are ingested, beside the library that reads them? */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeCorpus } from './corpus.ts';
import { ingest, openScratch } from './program.ts';
import { quantile, report } from './results.ts';

const rounds = 3;

using scratch = openScratch();
const [corpus, single] = [join(scratch.path, 'corpus'), join(scratch.path, 'single')];
await writeCorpus(corpus, { files: 100, wordsPerFile: 8000, pdfEvery: 1 });
await writeCorpus(single, { files: 1, wordsPerFile: 100, pdfEvery: 1 });

async function runLibrary(folder: string): Promise<{ pages: number; seconds: number }> {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, 'pdf-library.ts'),
    folder,
  ]);
  const { pages } = JSON.parse(stdout) as { pages: number };
  return { pages, seconds: (performance.now() - started) / 1000 };
}

/** From its start to its last vector: after that only the text index is made, of which the library knows nothing. */
async function runProgram(folder: string): Promise<number> {
  using run = openScratch();
  const { standIn, startedAt } = await ingest(folder, { folder: run.path });
  return (standIn.lastWorkAt - startedAt) / 1000;
}

const seconds = {
  program: [] as number[],
  programFixed: [] as number[],
  library: [] as number[],
  libraryFixed: [] as number[],
};
let pages = 0;
for (let round = 0; round < rounds; round += 1) {
  const alone = await runLibrary(corpus);
  pages = alone.pages;
  seconds.library.push(alone.seconds);
  seconds.libraryFixed.push((await runLibrary(single)).seconds);
  seconds.program.push(await runProgram(corpus));
  seconds.programFixed.push(await runProgram(single));
}
const median = (values: readonly number[]): number => quantile(values, 0.5);
const ours = pages / (median(seconds.program) - median(seconds.programFixed));
const theirs = pages / (median(seconds.library) - median(seconds.libraryFixed));
report(
  import.meta.url,
  `How many pages of PDFs a second are ingested, beside the library alone? ${pages} pages in 100 files.`,
  [
    { what: 'pages a second, program / library alone', value: ours / theirs, atLeast: 0.9 },
    { what: 'program', value: ours },
    { what: 'library', value: theirs },
  ],
  [
    `Median of ${rounds}, both without what a run over one short file takes. The library works in one thread, as the program's parser on two cores; the program also chunks, embeds (a model that takes no time) and stores. It is timed to its last vector.`,
  ],
);
